// Proofs of the scaling units.

// Two codes of e8m0 with the units of two formats: 2^(a-127) · 2^(b-127) · units, binary32's bias added.
module prove_e8m0 #(
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [2:0] a_format, b_format,
  input  logic [7:0] a_scale, b_scale,
  output logic       wrong
);
  logic signed [9:0] exponent;
  logic              nan;
  e8m0_scale #(.FAULTS(FAULTS)) dut (
    .a_scale_i(a_scale), .b_scale_i(b_scale), .a_unit_log2_i(8'(spec_pkg::unit_log2(a_format))),
    .b_unit_log2_i(8'(spec_pkg::unit_log2(b_format))), .fault_i(5'(FAULT)), .exponent_o(exponent), .nan_o(nan)
  );
  logic signed [31:0] expected;
  assign expected = ($signed({24'b0, a_scale}) - 127) + ($signed({24'b0, b_scale}) - 127)
                  + spec_pkg::unit_log2(a_format) + spec_pkg::unit_log2(b_format) + 127;
  assign wrong = nan != (a_scale == 8'hff || b_scale == 8'hff) || (!nan && 32'(exponent) != expected);
endmodule

// The scales of a block pair of the two formats, either kind. Of ue4m3: significand · 2^exponent is the product of the
// two numbers, and the places of the two exponents that ARITHMETIC §4 (`aligned`) names lie six bits above the lowest.
module prove_scale #(
  parameter logic [6:0] A_FORMATS = 7'h7f,
  parameter logic [6:0] B_FORMATS = 7'h7f,
  parameter int A_ONLY = 7,  // the format, where it is alone
  parameter int B_ONLY = 7,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [2:0] a_format, b_format,
  input  logic [7:0] a_scale, b_scale,
  output logic       wrong
);
  localparam int SCALE = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS);
  logic [2:0]        fa, fb;
  logic [SCALE-1:0]  significand;
  logic signed [9:0] exponent;
  logic              nan;
  assign fa = A_ONLY < 7 ? 3'(A_ONLY) : a_format;
  assign fb = B_ONLY < 7 ? 3'(B_ONLY) : b_format;
  mx_scale #(.A_FORMATS(A_FORMATS), .B_FORMATS(B_FORMATS), .FAULTS(FAULTS)) dut (
    .a_format_i(fa), .b_format_i(fb), .a_scale_i(a_scale), .b_scale_i(b_scale), .fault_i(5'(FAULT)),
    .significand_o(significand), .exponent_o(exponent), .nan_o(nan)
  );
  // The product of the units and of 2^-127 · 2^-127 or 2^-9 · 2^-9, biased.
  logic               ue4m3, possible, wrong_e8m0, wrong_ue4m3;
  logic signed [31:0] units, places;
  logic [63:0]        a, b, product;
  logic [7:0]         a_code, b_code;
  assign possible = fa != 3'd7 && fb != 3'd7 && (fa == 3'd6) == (fb == 3'd6);
  assign ue4m3    = fa == 3'd6;
  assign units    = 127 + spec_pkg::unit_log2(fa) + spec_pkg::unit_log2(fb);
  assign wrong_e8m0 = nan != (a_scale == 8'hff || b_scale == 8'hff)
                   || (!nan && (32'(exponent) != units - 254 + $signed({24'b0, a_scale}) + $signed({24'b0, b_scale})
                             || 32'(significand) != 32'd1));
  assign a_code  = {1'b0, a_scale[6:0]};
  assign b_code  = {1'b0, b_scale[6:0]};
  assign a       = 64'(spec_pkg::magnitude(3'd3, a_code)) >> 7;  // in units of 2^-9
  assign b       = 64'(spec_pkg::magnitude(3'd3, b_code)) >> 7;
  assign product = a * b;
  assign places  = 32'(exponent) - (units - 18);
  assign wrong_ue4m3 = nan != (a_code == 8'h7f || b_code == 8'h7f)
                    || (!nan && (places < 0 || places > 28 || (64'(significand) << places[4:0]) != product
                              || 32'(exponent) - units + 6 != spec_pkg::exponent(3'd3, a_code)
                                                            + spec_pkg::exponent(3'd3, b_code)));
  assign wrong = possible && (ue4m3 ? wrong_ue4m3 : wrong_e8m0);
endmodule
