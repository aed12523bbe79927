// Functional coverage of the dequantizer, of its first lane where one is meant, bound to each in
// the builds that list this file. Not synthesizable.
module mx_dequantize_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic        clk_i,
  input logic        rst_ni,
  input logic        in_valid_i,
  input logic        in_ready_i,
  input logic        out_valid_i,
  input logic        out_ready_i,
  input logic [1:0]  full_i,         // block, values
  input logic        load_i,         // block → values
  input logic        multiplies_i,
  input logic        prescale_i,
  input logic        nan_i,          // the scale is
  input logic [7:0]  scale_i,
  input logic        element_nan_i,
  input logic        element_inf_i,
  input logic        third_i,
  input logic        valid_i,        // values → binary32
  input logic        special_i,
  input logic        zero_i,
  input logic        negative_i,
  input logic [30:0] magnitude_i,
  input logic        guard_i,
  input logic        rest_i
);
  logic number;
  assign number = valid_i && !special_i;
  /*verilator coverage_on*/

  nan_scale        : cover property (@(posedge clk_i) load_i && nan_i && !multiplies_i);
  nan_ue4m3        : cover property (@(posedge clk_i) load_i && nan_i && multiplies_i);
  zero_ue4m3       : cover property (@(posedge clk_i) load_i && multiplies_i && scale_i[6:0] == '0);
  subnormal_ue4m3  : cover property (@(posedge clk_i) load_i && multiplies_i && scale_i[6:3] == '0
                                                      && scale_i[2:0] != '0);
  signed_ue4m3     : cover property (@(posedge clk_i) load_i && multiplies_i && scale_i[7]);
  nan_element      : cover property (@(posedge clk_i) load_i && element_nan_i);
  inf_element      : cover property (@(posedge clk_i) load_i && element_inf_i);
  a_third          : cover property (@(posedge clk_i) load_i && prescale_i && third_i);
  no_third         : cover property (@(posedge clk_i) load_i && prescale_i && !third_i);
  overflow         : cover property (@(posedge clk_i) number && magnitude_i == 31'h7f80_0000);
  subnormal        : cover property (@(posedge clk_i) number && !zero_i
                                                      && magnitude_i[30:23] == '0);
  minus_zero       : cover property (@(posedge clk_i) number && zero_i && negative_i);
  tie              : cover property (@(posedge clk_i) number && guard_i && !rest_i);
  rounds_up        : cover property (@(posedge clk_i) number && guard_i && rest_i);
  result_waits     : cover property (@(posedge clk_i) out_valid_i && !out_ready_i);
  block_waits      : cover property (@(posedge clk_i) in_valid_i && !in_ready_i);
  all_full         : cover property (@(posedge clk_i) &full_i && out_valid_i && out_ready_i);
  reset_while_busy : cover property (@(posedge clk_i) !rst_ni && full_i != '0);
endmodule

bind mx_dequantize mx_dequantize_corners u_corners (
  .clk_i          (clk_i),
  .rst_ni         (rst_ni),
  .in_valid_i     (in_valid_i),
  .in_ready_i     (in_ready_o),
  .out_valid_i    (out_valid_o),
  .out_ready_i    (out_ready_i),
  .full_i         ({in_stage_valid, value_valid}),
  .load_i         (value_load),
  .multiplies_i   (multiplies),
  .prescale_i     (prescale),
  .nan_i          (nan),
  .scale_i        (scale),
  .element_nan_i  (gen_lane[0].element_nan),
  .element_inf_i  (gen_lane[0].element_inf),
  .third_i        (gen_lane[0].sticky),
  .valid_i        (value_valid),
  .special_i      (nan_q || gen_lane[0].element_nan_q || gen_lane[0].inf_q),
  .zero_i         (gen_lane[0].significand_q == '0),
  .negative_i     (gen_lane[0].negative_q),
  .magnitude_i    (gen_lane[0].magnitude),
  .guard_i        (gen_lane[0].u_round.u_round.guard_i),
  .rest_i         (gen_lane[0].u_round.u_round.rest_i)
);
