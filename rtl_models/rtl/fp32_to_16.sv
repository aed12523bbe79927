// binary32 → what leaves the array: itself, or bfloat16 or binary16 in the low half, rounded to
// nearest, ties to even, with gradual underflow and overflow to infinity; NaN is 0x7FC0 and 0x7E00.
// Combinational.
module fp32_to_16 (
  input  logic [31:0] value_i,
  input  logic [1:0]  type_i,  // 0 binary32, 1 bfloat16, 2 binary16
  output logic [31:0] result_o
);
  logic       nan;
  logic [7:0] exponent;
  assign exponent = value_i[30:23];
  assign nan      = &exponent && value_i[22:0] != '0;

  // --- bfloat16: the upper half, rounded by the lower
  logic        bf16_up;
  logic [14:0] bf16;
  assign bf16_up = value_i[15] && (value_i[14:0] != '0 || value_i[16]);
  assign bf16    = value_i[30:16] + 15'(bf16_up);

  // --- binary16: bias 15, ten bits of fraction; below 2^-14 the significand moves right, and what
  // binary32 calls subnormal is zero
  logic        subnormal, f16_up, rest;
  logic [7:0]  distance;
  logic [4:0]  places;
  logic [23:0] significand, moved, lost;
  logic [17:0] f16;
  assign subnormal   = exponent < 8'd113;
  assign distance    = 8'd113 - exponent;
  assign places      = !subnormal ? 5'd0 : distance > 8'd24 ? 5'd24 : distance[4:0];
  assign significand = {exponent != '0, value_i[22:0]};
  assign moved       = significand >> places;
  assign lost        = significand & ~({24{1'b1}} << places);
  assign rest        = moved[11:0] != '0 || lost != '0;
  assign f16_up      = moved[12] && (rest || moved[13]);
  assign f16         = {subnormal ? 8'd0 : exponent - 8'd113, 10'b0} + 18'(moved[23:13])
                     + 18'(f16_up);

  logic [15:0] half;
  assign half     = type_i[0] ? (nan ? 16'h7fc0 : {value_i[31], bf16})
                  : nan ? 16'h7e00
                  : {value_i[31], f16 >= 18'h7c00 ? 15'h7c00 : f16[14:0]};
  assign result_o = type_i == 2'd0 ? value_i : {16'b0, half};

endmodule
