// The random words of a block's lanes (ARITHMETIC §2 step 4): word i mod 4 of the counter
// floor(i/4), i being the row-major index of the lane's element. A block need not begin with a
// whole counter, so one more runs than its lanes fill. The words stand ten rounds after the load.
module mx_random_words #(
  parameter int LANES = 32,
  parameter bit FAULTS = 1'b0
) (
  input  logic                                 clk_i,
  input  logic                                 load_i,
  input  logic                                 round_i,
  input  logic [63:0]                          index_i,  // of the first lane
  input  logic [63:0]                          seed_i,
  input  logic [mx_pkg::QuantizeFaultBits-1:0] fault_i,
  output logic [LANES*32-1:0]                  words_o
);
  localparam int COUNTERS = LANES/4 + 1;
  // The Weyl sequence of the keys.
  localparam logic [31:0] KEY_LOW  = 32'h9e37_79b9;
  localparam logic [31:0] KEY_HIGH = 32'hbb67_ae85;

  logic whole_counters, no_carry;  // planted faults
  assign whole_counters = FAULTS && fault_i == mx_pkg::QuantizeFaultBlockIndex;
  assign no_carry       = FAULTS && fault_i == mx_pkg::QuantizeFaultCounterCarry;

  logic [63:0] key_q;
  logic [1:0]  first_q;  // word of the first counter
  always_ff @(posedge clk_i) begin
    if (load_i) begin
      key_q   <= seed_i;
      first_q <= whole_counters ? '0 : index_i[1:0];
    end else if (round_i) begin
      key_q <= {key_q[63:32] + KEY_HIGH, key_q[31:0] + KEY_LOW};
    end
  end

  logic [COUNTERS*128-1:0] words;
  for (genvar c = 0; c < COUNTERS; c++) begin : gen_counter
    logic [61:0] sum, counter;
    assign sum     = index_i[63:2] + 62'(c);
    assign counter = no_carry ? {index_i[63:34], sum[31:0]} : sum;
    philox4x32 u_philox (
      .clk_i,
      .load_i,
      .round_i,
      .counter_i({2'b00, counter}),
      .key_i    (key_q),
      .words_o  (words[c*128 +: 128])
    );
  end
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [127:0] candidates;
    assign candidates           = words[i*32 +: 128];
    assign words_o[i*32 +: 32] = candidates[first_q*32 +: 32];
  end
  // No block ends with the last counter's last word.
  logic unused_word;
  assign unused_word = ^words[COUNTERS*128-1 -: 32];

endmodule
