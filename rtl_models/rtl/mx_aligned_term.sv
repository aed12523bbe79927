// One term of an aligned step (ARITHMETIC §4): a product, or the exact sum of a group of them, times
// the scales: magnitude, and the biased exponents by which it is aligned and of its lowest bit.
// Combinational.
module mx_aligned_term #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int GROUP = 1,
  parameter bit FAULTS = 1'b0,
  localparam int ABits     = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits     = mx_width_pkg::element_bits(B_FORMATS),
  localparam int ScaleBits = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS),
  localparam int TermBits  = mx_width_pkg::aligned_term_bits(A_FORMATS, B_FORMATS, GROUP)
) (
  input  logic [GROUP*ABits-1:0]                  a_i,  // elements
  input  logic [GROUP*BBits-1:0]                  b_i,
  input  logic [mx_pkg::FormatBits-1:0]           a_format_i,
  input  logic [mx_pkg::FormatBits-1:0]           b_format_i,
  input  logic [ScaleBits-1:0]                    scale_significand_i,
  input  logic signed [mx_pkg::ExponentWidth-1:0] scale_exponent_i,  // as mx_scale gives it
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic                                    zero_o,  // it enters with the exponent e_zero
  output logic                                    negative_o,
  output logic [TermBits-1:0]                     magnitude_o,
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o,  // not normalised
  output logic signed [mx_pkg::ExponentWidth-1:0] lowest_o,    // of the magnitude's lowest bit
  output logic                                    inf_o,
  output logic                                    inf_negative_o,
  output logic                                    nan_o
);
  localparam int SUM       = GROUP == 1 ? mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS)
                                        : mx_width_pkg::sum_bits(A_FORMATS, B_FORMATS, GROUP) - 1;
  localparam int SCALE_SUM = GROUP == 1
                           ? mx_width_pkg::ue4m3_product_bits(A_FORMATS, B_FORMATS)
                           : mx_width_pkg::ue4m3_sum_bits(A_FORMATS, B_FORMATS, GROUP) - 1;

  logic [SUM-1:0]                          magnitude;
  logic                                    nonzero;
  logic signed [mx_pkg::ExponentWidth-1:0] place;     // of the products above their units
  logic signed [7:0]                       fraction;  // bits of the magnitude below the exponent
  if (GROUP == 1) begin : gen_product
    localparam int SHIFT    = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS);
    localparam int A_NUMBER = mx_width_pkg::number_bits(A_FORMATS);
    localparam int B_NUMBER = mx_width_pkg::number_bits(B_FORMATS);
    logic [SHIFT-1:0] shift;
    mx_product_flags #(
      .LANES(1)
    ) u_flags (
      .a_i       (a_i[ABits-1 -: 3]),
      .b_i       (b_i[BBits-1 -: 3]),
      .negative_o,
      .nonzero_o (nonzero),
      .inf_o,
      .nan_o
    );
    mx_mul #(
      .A_FORMATS(A_FORMATS),
      .B_FORMATS(B_FORMATS),
      .FAULTS   (FAULTS)
    ) u_mul (
      .a_i          (a_i[A_NUMBER-1:0]),
      .b_i          (b_i[B_NUMBER-1:0]),
      .fault_i,
      .significand_o(magnitude),
      .shift_o      (shift)
    );
    assign inf_negative_o = negative_o;
    assign place          = mx_pkg::ExponentWidth'({1'b0, shift});
    assign fraction       = $signed(mx_pkg::MantissaBits[a_format_i*8 +: 8])
                          + $signed(mx_pkg::MantissaBits[b_format_i*8 +: 8]);
  end else begin : gen_group
    logic [SUM:0] sum;
    mx_block_sum #(
      .A_FORMATS(A_FORMATS),
      .B_FORMATS(B_FORMATS),
      .LANES    (GROUP),
      .FAULTS   (FAULTS)
    ) u_sum (
      .a_i,
      .b_i,
      .fault_i,
      .sum_o         (sum),
      .nonzero_o     (nonzero),
      .inf_o,
      .inf_negative_o,
      .nan_o
    );
    assign negative_o = sum[SUM];
    assign magnitude  = (sum[SUM-1:0] ^ {SUM{negative_o}}) + SUM'(negative_o);
    assign place      = '0;
    assign fraction   = -$signed(mx_pkg::UnitLog2[a_format_i*8 +: 8])
                      - $signed(mx_pkg::UnitLog2[b_format_i*8 +: 8]);
  end

  // A significand of ue4m3 has fraction bits of its own.
  logic signed [7:0] scale_fraction;
  if (ScaleBits == 1) begin : gen_power_of_two
    assign scale_fraction = '0;
    assign magnitude_o    = TermBits'(magnitude);
    assign zero_o         = !nonzero;
    logic unused_significand;
    assign unused_significand = scale_significand_i[0];
  end else begin : gen_scale
    logic [TermBits-1:0] scaled;
    assign scale_fraction = mx_pkg::Ue4m3Scale[a_format_i*8] ? 8'(ScaleBits - 2) : '0;
    assign scaled         = TermBits'(magnitude[SCALE_SUM-1:0]) * TermBits'(scale_significand_i);
    assign magnitude_o    = scale_significand_i == ScaleBits'(1) ? TermBits'(magnitude) : scaled;
    assign zero_o         = !nonzero || scale_significand_i == '0;
  end
  assign lowest_o   = scale_exponent_i + place;
  assign exponent_o = lowest_o + mx_pkg::ExponentWidth'(fraction)
                    + mx_pkg::ExponentWidth'(scale_fraction);

endmodule
