// Functional coverage of the scales of nvfp4, bound to every element of an array in the builds that
// list this file. Not synthesizable.
module mx_scale_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic       clk_i,
  input logic       load_i,
  input logic       is_ue4m3_i,
  input logic [7:0] a_scale_i,
  input logic [7:0] b_scale_i
);
  logic loads;
  assign loads = load_i && is_ue4m3_i;
  /*verilator coverage_on*/
  a_zero      : cover property (@(posedge clk_i) loads && a_scale_i[6:0] == '0);
  b_zero      : cover property (@(posedge clk_i) loads && b_scale_i[6:0] == '0);
  a_subnormal : cover property (@(posedge clk_i) loads && a_scale_i[6:3] == '0
                                                 && a_scale_i[2:0] != '0);
  b_subnormal : cover property (@(posedge clk_i) loads && b_scale_i[6:3] == '0
                                                 && b_scale_i[2:0] != '0);
  a_signed    : cover property (@(posedge clk_i) loads && a_scale_i[7]);
  b_signed    : cover property (@(posedge clk_i) loads && b_scale_i[7]);
  a_nan       : cover property (@(posedge clk_i) loads && &a_scale_i[6:0]);
  b_nan       : cover property (@(posedge clk_i) loads && &b_scale_i[6:0]);
endmodule

bind mx_pe mx_scale_corners u_scale_corners (
  .clk_i     (clk_i),
  .load_i    (sum_load_i),
  .is_ue4m3_i(mx_pkg::Ue4m3Scale[a_format_i*8]),
  .a_scale_i (a_scale_i),
  .b_scale_i (b_scale_i)
);
