// Two scales of nvfp4, e4m3 numbers whose sign is ignored: the product of their significands, and
// the biased binary32 exponent of its lowest bit times the formats' units; NaN where a scale is.
// Combinational.
module ue4m3_scale #(
  localparam int SignificandBits = mx_width_pkg::significand_bits(mx_pkg::Ue4m3Numbers)
) (
  input  logic [7:0]                              a_scale_i,
  input  logic [7:0]                              b_scale_i,
  input  logic signed [7:0]                       a_unit_log2_i,
  input  logic signed [7:0]                       b_unit_log2_i,
  output logic [2*SignificandBits-1:0]            significand_o,
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o,
  output logic                                    nan_o
);
  localparam int SHIFT  = mx_width_pkg::shift_bits(mx_pkg::Ue4m3Numbers);
  // binary32's bias, and the unit of each scale.
  localparam int OFFSET = 127 + 2*mx_width_pkg::least_signed(mx_pkg::Ue4m3Numbers, mx_pkg::UnitLog2);

  logic [2:0]                 a_flags, b_flags;
  logic                       a_nan, b_nan;
  logic [SignificandBits-1:0] a_significand, b_significand;
  logic [SHIFT-1:0]           a_shift, b_shift;
  mx_decode #(
    .FORMATS(mx_pkg::Ue4m3Numbers)
  ) u_a (
    .format_i ({mx_pkg::FormatBits{1'b0}}),
    .code_i   ({1'b0, a_scale_i[6:0]}),
    .fault_i  ({mx_pkg::FaultBits{1'b0}}),
    .element_o({a_flags, a_significand, a_shift}),
    .nan_o    (a_nan)
  );
  mx_decode #(
    .FORMATS(mx_pkg::Ue4m3Numbers)
  ) u_b (
    .format_i ({mx_pkg::FormatBits{1'b0}}),
    .code_i   ({1'b0, b_scale_i[6:0]}),
    .fault_i  ({mx_pkg::FaultBits{1'b0}}),
    .element_o({b_flags, b_significand, b_shift}),
    .nan_o    (b_nan)
  );
  logic unused;
  assign unused = ^{a_flags, b_flags, a_scale_i[7], b_scale_i[7]};

  assign significand_o = (2*SignificandBits)'(a_significand) * (2*SignificandBits)'(b_significand);
  assign exponent_o    = mx_pkg::ExponentWidth'(OFFSET)
                       + mx_pkg::ExponentWidth'({1'b0, a_shift})
                       + mx_pkg::ExponentWidth'({1'b0, b_shift})
                       + mx_pkg::ExponentWidth'(a_unit_log2_i)
                       + mx_pkg::ExponentWidth'(b_unit_log2_i);
  assign nan_o         = a_nan || b_nan;

endmodule
