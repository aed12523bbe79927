// Rows of results: each goes to one of two buffers of D, where the host reads it, and if the job
// says so to the stream too, behind one register. The array waits where the stream does. A packet
// that an abort cuts off is ended by a transfer of its own, before the next packet's rows.
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
  input  logic                                   abort_i,  // no more rows of this tile
  // To the stream: a packet a tile, a transfer a row.
  output logic                                   tvalid_o,
  input  logic                                   tready_i,
  output logic [COLS*32-1:0]                     tdata_o,
  output logic                                   tlast_o,
  output logic                                   tuser_o,  // the end of a packet cut off, no row
  // The host's read: data in the next cycle.
  input  logic                                   read_i,
  input  logic                                   read_buffer_i,
  input  logic [RowBits-1:0]                     read_row_i,
  input  logic [mx_registers_pkg::MinorBits-1:0] read_col_i,
  output logic [31:0]                            read_data_o,
  input  logic [mx_registers_pkg::FaultBits-1:0] fault_i
);
  logic               t_valid_q, t_last_q, t_user_q, is_free, taken, to_stream;
  logic               in_packet_q, in_packet, cut_q, ends_cut;  // cut_q: an end has still to leave
  logic [COLS*32-1:0] t_data_q, d_read, unused_read;
  assign is_free   = !t_valid_q || tready_i;
  assign ready_o   = !stream_i || (is_free && !cut_q);
  assign taken     = valid_i && ready_o;
  assign to_stream = taken && stream_i;
  assign in_packet = to_stream ? !last_i : in_packet_q;
  assign ends_cut  = cut_q && is_free;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      t_valid_q   <= 1'b0;
      in_packet_q <= 1'b0;
      cut_q       <= 1'b0;
    end else begin
      if (to_stream || ends_cut) t_valid_q <= 1'b1;
      else if (tready_i) t_valid_q <= 1'b0;
      in_packet_q <= in_packet && !abort_i;
      if (abort_i && in_packet) cut_q <= fault_i != mx_registers_pkg::FaultCutPacketStaysOpen;
      else if (ends_cut) cut_q <= 1'b0;
    end
    if (to_stream || ends_cut) begin
      t_last_q <= ends_cut || last_i;
      t_user_q <= ends_cut;
    end
    if (to_stream) t_data_q <= data_i;
  end
  assign tvalid_o = t_valid_q;
  assign tdata_o  = t_data_q;
  assign tlast_o  = t_last_q && fault_i != mx_registers_pkg::FaultTlastMissing;
  assign tuser_o  = t_user_q;

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
