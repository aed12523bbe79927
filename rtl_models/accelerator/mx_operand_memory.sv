// One side's operands, A's or B's: codes and scales in two buffers, a bank of each for every row of
// A or column of B. A bank's word is a block's; its number is {buffer, block}.
module mx_operand_memory #(
  parameter int HEIGHT = 2,  // rows of A, or columns of B
  parameter int LANES  = 32,
  parameter int DEPTH  = 4,
  localparam int AtBits = mx_width_pkg::bits_of_index(DEPTH) + 1
) (
  input  logic                                   clk_i,
  // A write, of four codes or of a scale.
  input  logic                                   write_codes_i,
  input  logic                                   write_scale_i,
  input  logic [AtBits-1:0]                      write_at_i,
  input  logic [mx_registers_pkg::MinorBits-1:0] write_minor_i,
  input  logic [mx_registers_pkg::WordBits-1:0]  write_word_i,
  input  logic [31:0]                            write_data_i,
  // The host's read and the array's, of all rows: data in the next cycle, until the next read.
  input  logic                                   read_i,
  input  logic [AtBits-1:0]                      read_at_i,
  output logic [HEIGHT*LANES*8-1:0]              read_codes_o,
  output logic [HEIGHT*8-1:0]                    read_scales_o,
  input  logic                                   fetch_i,
  input  logic [AtBits-1:0]                      fetch_at_i,
  output logic [HEIGHT*LANES*8-1:0]              codes_o,
  output logic [HEIGHT*8-1:0]                    scales_o
);
  localparam int CODES = LANES * 8;
  localparam int WORDS = LANES / 4;
  localparam int BANK_WORDS = 1 << AtBits;

  for (genvar r = 0; r < HEIGHT; r++) begin : gen_row
    logic             is_row;
    logic [WORDS-1:0] we;
    assign is_row = {27'b0, write_minor_i} == r;
    for (genvar w = 0; w < WORDS; w++) begin : gen_we
      assign we[w] = write_codes_i && is_row && {29'b0, write_word_i} == w;
    end
    mx_bank #(
      .WIDTH(CODES),
      .WORDS(BANK_WORDS)
    ) u_codes (
      .clk_i,
      .we_i    (we),
      .waddr_i (write_at_i),
      .wdata_i ({WORDS{write_data_i}}),
      .a_re_i  (fetch_i),
      .a_addr_i(fetch_at_i),
      .a_data_o(codes_o[r*CODES +: CODES]),
      .b_re_i  (read_i),
      .b_addr_i(read_at_i),
      .b_data_o(read_codes_o[r*CODES +: CODES])
    );
    mx_bank #(
      .WIDTH(8),
      .PART (8),
      .WORDS(BANK_WORDS)
    ) u_scales (
      .clk_i,
      .we_i    (write_scale_i && is_row),
      .waddr_i (write_at_i),
      .wdata_i (write_data_i[7:0]),
      .a_re_i  (fetch_i),
      .a_addr_i(fetch_at_i),
      .a_data_o(scales_o[r*8 +: 8]),
      .b_re_i  (read_i),
      .b_addr_i(read_at_i),
      .b_data_o(read_scales_o[r*8 +: 8])
    );
  end
endmodule
