// Functional coverage of results of 16 bits, where they leave the array: mx_mac_array_checks connects
// it. Not synthesizable.
module fp32_to_16_corners (
  /*verilator coverage_off*/
  input logic        clk_i,
  input logic        taken_i,
  input logic [1:0]  type_i,
  input logic        nan_i,
  input logic [30:0] value_i,
  input logic [14:0] half_i,
  input logic        bf16_tie_i,
  input logic        bf16_up_i,
  input logic        f16_tie_i,
  input logic        f16_up_i
);
  logic bf16, f16, inf, zero;
  assign bf16 = taken_i && type_i == 2'd1;
  assign f16  = taken_i && type_i == 2'd2;
  assign inf  = &value_i[30:23] && !nan_i;
  assign zero = value_i[30:0] == '0;
  /*verilator coverage_on*/
  bf16_nan       : cover property (@(posedge clk_i) bf16 && nan_i);
  bf16_tie_down  : cover property (@(posedge clk_i) bf16 && !nan_i && bf16_tie_i && !bf16_up_i);
  bf16_tie_up    : cover property (@(posedge clk_i) bf16 && !nan_i && bf16_tie_i && bf16_up_i);
  bf16_overflow  : cover property (@(posedge clk_i) bf16 && !inf && half_i == 15'h7f80);
  f16_nan        : cover property (@(posedge clk_i) f16 && nan_i);
  f16_inf        : cover property (@(posedge clk_i) f16 && inf);
  f16_overflow   : cover property (@(posedge clk_i) f16 && !inf && half_i == 15'h7c00);
  f16_subnormal  : cover property (@(posedge clk_i) f16 && half_i[14:10] == '0
                                                    && half_i[9:0] != '0);
  f16_underflow  : cover property (@(posedge clk_i) f16 && !zero && half_i == '0);
  f16_tie_down   : cover property (@(posedge clk_i) f16 && !nan_i && f16_tie_i && !f16_up_i);
  f16_tie_up     : cover property (@(posedge clk_i) f16 && !nan_i && f16_tie_i && f16_up_i);
endmodule
