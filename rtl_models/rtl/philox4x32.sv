// One counter of Philox-4x32-10 (Salmon et al., SC 2011), a round a cycle: ten of them after the
// counter was loaded its state is the four random words. The key of the round comes from outside,
// the same for all counters.
module philox4x32 (
  input  logic         clk_i,
  input  logic         load_i,
  input  logic         round_i,
  input  logic [63:0]  counter_i,  // the low half; the high one is 0
  input  logic [63:0]  key_i,
  output logic [127:0] words_o     // word 0 lowest
);
  logic [127:0] state_q;
  logic [63:0]  x, y;
  assign x = 64'h0000_0000_d251_1f53 * {32'b0, state_q[31:0]};
  assign y = 64'h0000_0000_cd9e_8d57 * {32'b0, state_q[95:64]};
  always_ff @(posedge clk_i) begin
    if (load_i)
      state_q <= {64'b0, counter_i};
    else if (round_i)
      state_q <= {x[31:0], x[63:32] ^ state_q[127:96] ^ key_i[63:32],
                  y[31:0], y[63:32] ^ state_q[63:32] ^ key_i[31:0]};
  end
  assign words_o = state_q;

endmodule
