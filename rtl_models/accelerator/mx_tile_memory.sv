// The operands of two tiles: A, B and C in two buffers each, of which a whole block and all of C are
// read in a cycle. One word is written at a time, by the host or by the stream. The array and the
// host have read ports of their own.
module mx_tile_memory #(
  parameter int ROWS  = 2,
  parameter int COLS  = 2,
  parameter int LANES = 32,
  parameter int DEPTH = 4,
  localparam int BlockBits = mx_width_pkg::bits_of_index(DEPTH)
) (
  input  logic                                    clk_i,
  input  logic                                    write_i,
  input  logic [mx_registers_pkg::RegionBits-1:0] write_region_i,
  input  logic                                    write_buffer_i,
  input  logic [mx_registers_pkg::MajorBits-1:0]  write_major_i,
  input  logic [mx_registers_pkg::MinorBits-1:0]  write_minor_i,
  input  logic [mx_registers_pkg::WordBits-1:0]   write_word_i,
  input  logic [31:0]                             write_data_i,
  // The host's read: data in the next cycle.
  input  logic                                    read_i,
  input  logic [mx_registers_pkg::RegionBits-1:0] read_region_i,
  input  logic                                    read_buffer_i,
  input  logic [mx_registers_pkg::MajorBits-1:0]  read_major_i,
  input  logic [mx_registers_pkg::MinorBits-1:0]  read_minor_i,
  input  logic [mx_registers_pkg::WordBits-1:0]   read_word_i,
  output logic [31:0]                             read_data_o,
  // The array's read: it stays until the next.
  input  logic                                    fetch_i,
  input  logic                                    fetch_buffer_i,
  input  logic [BlockBits-1:0]                    fetch_block_i,
  output logic [ROWS*LANES*8-1:0]                 a_codes_o,
  output logic [ROWS*8-1:0]                       a_scales_o,
  output logic [COLS*LANES*8-1:0]                 b_codes_o,
  output logic [COLS*8-1:0]                       b_scales_o,
  output logic [ROWS*COLS*32-1:0]                 c_o
);
  localparam int CODES = LANES * 8;
  localparam int WORDS = LANES / 4;
  localparam int ELEMENTS = ROWS * COLS;

  // Where the host reads, kept for the cycle in which the data is there.
  logic [mx_registers_pkg::RegionBits-1:0] read_region_q;
  logic [mx_registers_pkg::MajorBits-1:0]  read_major_q;
  logic [mx_registers_pkg::MinorBits-1:0]  read_minor_q;
  logic [mx_registers_pkg::WordBits-1:0]   read_word_q;
  always_ff @(posedge clk_i) begin
    if (read_i) begin
      read_region_q <= read_region_i;
      read_major_q  <= read_major_i;
      read_minor_q  <= read_minor_i;
      read_word_q   <= read_word_i;
    end
  end

  logic [BlockBits:0] write_at, read_at, fetch_at;
  assign write_at = {write_buffer_i, write_major_i[BlockBits-1:0]};
  assign read_at  = {read_buffer_i, read_major_i[BlockBits-1:0]};
  assign fetch_at = {fetch_buffer_i, fetch_block_i};

  // The words of all codes and of C side by side; the place of the one that is meant.
  logic [ROWS*CODES-1:0]  a_read;
  logic [COLS*CODES-1:0]  b_read;
  logic [ROWS*8-1:0]      a_scales_read;
  logic [COLS*8-1:0]      b_scales_read;
  logic [ELEMENTS*32-1:0] c_read;

  mx_operand_memory #(
    .HEIGHT(ROWS),
    .LANES (LANES),
    .DEPTH (DEPTH)
  ) u_a (
    .clk_i,
    .write_codes_i(write_i && write_region_i == mx_registers_pkg::RegionACodes),
    .write_scale_i(write_i && write_region_i == mx_registers_pkg::RegionAScales),
    .write_at_i   (write_at),
    .write_minor_i,
    .write_word_i,
    .write_data_i,
    .read_i,
    .read_at_i    (read_at),
    .read_codes_o (a_read),
    .read_scales_o(a_scales_read),
    .fetch_i,
    .fetch_at_i   (fetch_at),
    .codes_o      (a_codes_o),
    .scales_o     (a_scales_o)
  );
  mx_operand_memory #(
    .HEIGHT(COLS),
    .LANES (LANES),
    .DEPTH (DEPTH)
  ) u_b (
    .clk_i,
    .write_codes_i(write_i && write_region_i == mx_registers_pkg::RegionBCodes),
    .write_scale_i(write_i && write_region_i == mx_registers_pkg::RegionBScales),
    .write_at_i   (write_at),
    .write_minor_i,
    .write_word_i,
    .write_data_i,
    .read_i,
    .read_at_i    (read_at),
    .read_codes_o (b_read),
    .read_scales_o(b_scales_read),
    .fetch_i,
    .fetch_at_i   (fetch_at),
    .codes_o      (b_codes_o),
    .scales_o     (b_scales_o)
  );

  logic [ELEMENTS-1:0] c_we;
  for (genvar e = 0; e < ELEMENTS; e++) begin : gen_c_we
    assign c_we[e] = write_i && write_region_i == mx_registers_pkg::RegionC &&
                     {26'b0, write_major_i} == e / COLS && {27'b0, write_minor_i} == e % COLS;
  end
  mx_bank #(
    .WIDTH(ELEMENTS * 32),
    .WORDS(2)
  ) u_c (
    .clk_i,
    .we_i    (c_we),
    .waddr_i (write_buffer_i),
    .wdata_i ({ELEMENTS{write_data_i}}),
    .a_re_i  (fetch_i),
    .a_addr_i(fetch_buffer_i),
    .a_data_o(c_o),
    .b_re_i  (read_i),
    .b_addr_i(read_buffer_i),
    .b_data_o(c_read)
  );

  always_comb begin
    read_data_o = '0;
    case (read_region_q)
      mx_registers_pkg::RegionACodes:
        read_data_o = a_read[({27'b0, read_minor_q} * WORDS + {29'b0, read_word_q}) * 32 +: 32];
      mx_registers_pkg::RegionBCodes:
        read_data_o = b_read[({27'b0, read_minor_q} * WORDS + {29'b0, read_word_q}) * 32 +: 32];
      mx_registers_pkg::RegionAScales:
        read_data_o = {24'b0, a_scales_read[{27'b0, read_minor_q} * 8 +: 8]};
      mx_registers_pkg::RegionBScales:
        read_data_o = {24'b0, b_scales_read[{27'b0, read_minor_q} * 8 +: 8]};
      mx_registers_pkg::RegionC:
        read_data_o = c_read[({26'b0, read_major_q} * COLS + {27'b0, read_minor_q}) * 32 +: 32];
      default: ;
    endcase
  end
endmodule
