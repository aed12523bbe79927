// A memory of one write port and two read ports, with a write enable for each PART of a word.
// Reading takes a cycle, and gives what stood there before a write at the same edge. Plain enough
// that any synthesis finds the memory in it.
module mx_bank #(
  parameter int WIDTH = 32,
  parameter int PART  = 32,  // divides WIDTH
  parameter int WORDS = 2,
  localparam int Parts    = WIDTH / PART,
  localparam int AddrBits = mx_width_pkg::bits_of_index(WORDS)
) (
  input  logic                clk_i,
  input  logic [Parts-1:0]    we_i,
  input  logic [AddrBits-1:0] waddr_i,
  input  logic [WIDTH-1:0]    wdata_i,
  // A port's data stays until it reads again.
  input  logic                a_re_i,
  input  logic [AddrBits-1:0] a_addr_i,
  output logic [WIDTH-1:0]    a_data_o,
  input  logic                b_re_i,
  input  logic [AddrBits-1:0] b_addr_i,
  output logic [WIDTH-1:0]    b_data_o
);
  logic [WIDTH-1:0] memory[0:WORDS-1];
  logic [WIDTH-1:0] a_data_q, b_data_q;

  always_ff @(posedge clk_i) begin
    for (int p = 0; p < Parts; p++) begin
      if (we_i[p]) memory[waddr_i][p*PART +: PART] <= wdata_i[p*PART +: PART];
    end
    if (a_re_i) a_data_q <= memory[a_addr_i];
    if (b_re_i) b_data_q <= memory[b_addr_i];
  end
  assign a_data_o = a_data_q;
  assign b_data_o = b_data_q;
endmodule
