// The scales of a block pair: the significand of their product, and with the formats' units the
// biased binary32 exponent of the lowest bit of a block sum. Two e8m0, or two ue4m3 where the
// formats have them. Combinational.
module mx_scale #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int ScaleBits = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS)
) (
  input  logic [mx_pkg::FormatBits-1:0]           a_format_i,
  input  logic [mx_pkg::FormatBits-1:0]           b_format_i,
  input  logic [7:0]                              a_scale_i,
  input  logic [7:0]                              b_scale_i,
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic [ScaleBits-1:0]                    significand_o,
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o,
  output logic                                    nan_o
);
  localparam bit HAS_UE4M3 = ScaleBits > 1;
  localparam bit HAS_E8M0  = !mx_width_pkg::all(A_FORMATS, mx_pkg::Ue4m3Scale);

  logic signed [7:0] a_unit_log2, b_unit_log2;
  assign a_unit_log2 = mx_pkg::UnitLog2[a_format_i*8 +: 8];
  assign b_unit_log2 = mx_pkg::UnitLog2[b_format_i*8 +: 8];

  logic [ScaleBits-1:0]                    e8m0_significand, ue4m3_significand;
  logic signed [mx_pkg::ExponentWidth-1:0] e8m0_exponent, ue4m3_exponent;
  logic                                    e8m0_nan, ue4m3_nan, is_ue4m3;
  if (HAS_E8M0) begin : gen_e8m0
    e8m0_scale #(
      .FAULTS(FAULTS)
    ) u_e8m0 (
      .a_scale_i,
      .b_scale_i,
      .a_unit_log2_i(a_unit_log2),
      .b_unit_log2_i(b_unit_log2),
      .fault_i,
      .exponent_o   (e8m0_exponent),
      .nan_o        (e8m0_nan)
    );
  end else begin : gen_no_e8m0
    logic unused_fault;
    assign unused_fault  = ^fault_i;
    assign e8m0_exponent = '0;
    assign e8m0_nan      = 1'b0;
  end
  assign e8m0_significand = ScaleBits'(1);

  if (HAS_UE4M3) begin : gen_ue4m3
    ue4m3_scale u_ue4m3 (
      .a_scale_i,
      .b_scale_i,
      .a_unit_log2_i(a_unit_log2),
      .b_unit_log2_i(b_unit_log2),
      .significand_o(ue4m3_significand),
      .exponent_o   (ue4m3_exponent),
      .nan_o        (ue4m3_nan)
    );
    assign is_ue4m3 = !HAS_E8M0 || mx_pkg::Ue4m3Scale[a_format_i*8];
  end else begin : gen_no_ue4m3
    assign {ue4m3_significand, ue4m3_exponent, ue4m3_nan} = '0;
    assign is_ue4m3 = 1'b0;
  end

  assign significand_o = is_ue4m3 ? ue4m3_significand : e8m0_significand;
  assign exponent_o    = is_ue4m3 ? ue4m3_exponent : e8m0_exponent;
  assign nan_o         = is_ue4m3 ? ue4m3_nan : e8m0_nan;

endmodule
