// Rows of results: each goes to one of two buffers of D, where the host reads it, and if the job
// says so to the stream too, behind one register. The array waits where the stream does.
module mx_results #(
  parameter int ROWS = 2,
  parameter int COLS = 2,
  localparam int RowBits = mx_width_pkg::bits_of_index(ROWS)
) (
  input  logic                                   clk_i,
  input  logic                                   rst_ni,
  // From the array.
  input  logic                                   valid_i,
  output logic                                   ready_o,
  input  logic [RowBits-1:0]                     row_i,
  input  logic                                   last_i,
  input  logic [COLS*32-1:0]                     data_i,
  input  logic                                   buffer_i,
  input  logic                                   stream_i,
  // To the stream: a packet a tile, a transfer a row.
  output logic                                   tvalid_o,
  input  logic                                   tready_i,
  output logic [COLS*32-1:0]                     tdata_o,
  output logic                                   tlast_o,
  // The host's read: data in the next cycle.
  input  logic                                   read_i,
  input  logic                                   read_buffer_i,
  input  logic [RowBits-1:0]                     read_row_i,
  input  logic [mx_registers_pkg::MinorBits-1:0] read_col_i,
  output logic [31:0]                            read_data_o,
  input  logic [mx_registers_pkg::FaultBits-1:0] fault_i
);
  logic               t_valid_q, t_last_q, taken;
  logic [COLS*32-1:0] t_data_q, d_read, unused_read;
  assign ready_o = !stream_i || !t_valid_q || tready_i;
  assign taken   = valid_i && ready_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) t_valid_q <= 1'b0;
    else if (taken && stream_i) t_valid_q <= 1'b1;
    else if (tready_i) t_valid_q <= 1'b0;
    if (taken && stream_i) begin
      t_data_q <= data_i;
      t_last_q <= last_i;
    end
  end
  assign tvalid_o = t_valid_q;
  assign tdata_o  = t_data_q;
  assign tlast_o  = t_last_q && fault_i != mx_registers_pkg::FaultTlastMissing;

  mx_bank #(
    .WIDTH(COLS * 32),
    .PART (COLS * 32),
    .WORDS(2 << RowBits)
  ) u_d (
    .clk_i,
    .we_i    (taken && rst_ni),
    .waddr_i ({buffer_i, row_i}),
    .wdata_i (data_i),
    .a_re_i  (1'b0),
    .a_addr_i({(RowBits + 1){1'b0}}),
    .a_data_o(unused_read),
    .b_re_i  (read_i),
    .b_addr_i({read_buffer_i, read_row_i}),
    .b_data_o(d_read)
  );
  logic [mx_registers_pkg::MinorBits-1:0] read_col_q;
  always_ff @(posedge clk_i) if (read_i) read_col_q <= read_col_i;
  assign read_data_o = d_read[{27'b0, read_col_q} * 32 +: 32];

  logic unused;
  assign unused = ^unused_read;
endmodule
