// Rounds an exact positive number to the magnitude of an element's code, and adds the sign
// (ARITHMETIC §2 step 4): a significand whose leading bit is on top or one place below, and the
// exponent of its top place, counted from that of the format's least normal number. Combinational.
//
// The word that is rounded has the code's last place at its binary point: mantissas are aligned
// with the longest of the set, and a subnormal moves right further. A stochastic rounding compares
// the 32 bits below the point with the random word. The others need the bit below the point and
// whether there is a rest. What moves out of the word changes neither: it does so only where no
// bit stands right below the point, or where the fraction has its 32 bits.
module mx_encode #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter int EXACT_BITS    = 26,
  parameter int FRACTION_BITS = 32,  // at least EXACT_BITS, or the 32 of a random word
  parameter bit STOCHASTIC = 1'b1,
  parameter bit FAULTS = 1'b0,
  localparam int QuotientBits = mx_quantize_pkg::quotient_bits(FORMATS),
  localparam int WordBits     = QuotientBits + FRACTION_BITS,
  localparam int ShiftBits    = mx_width_pkg::shift_bits(FORMATS)
) (
  input  logic [mx_pkg::FormatBits-1:0]                    format_i,
  input  logic [mx_pkg::RoundBits-1:0]                     rounding_i,
  input  logic                                             negative_i,
  input  logic [EXACT_BITS-1:0]                            exact_i,  // 0 for zero
  input  logic                                             rest_i,   // it lies above that
  input  logic signed [mx_quantize_pkg::DifferenceBits-1:0] exponent_i,
  input  logic [mx_quantize_pkg::RandomBits-1:0]           random_i,
  input  logic [mx_pkg::QuantizeFaultBits-1:0]             fault_i,
  output logic [mx_pkg::CodeBits-1:0]                      code_o,
  // The exact number and the code in units of its last place, which is `binade` places above the
  // format's unit; a number beyond the last binade has its word one place lower, or more.
  output logic [WordBits-1:0]                              word_o,
  output logic [QuotientBits:0]                            rounded_o,
  output logic [ShiftBits-1:0]                             binade_o,
  output logic                                             beyond_o
);
  localparam int DIFFERENCE = mx_quantize_pkg::DifferenceBits;
  localparam int MANTISSA   = QuotientBits - 1;  // the longest
  // Further right nothing is left that counts.
  localparam int FARTHEST = QuotientBits + (STOCHASTIC ? mx_quantize_pkg::RandomBits : 1);
  localparam int PLACES   = $clog2(FARTHEST + MANTISSA + 1);
  localparam logic [mx_pkg::NumFormats*8-1:0] SIGN_PLACE =
      mx_pkg::ExponentBits + mx_pkg::MantissaBits;

  logic tie_away, not_saturated, no_minus_zero, equal_too;  // planted faults
  assign tie_away      = FAULTS && fault_i == mx_pkg::QuantizeFaultTieAway;
  assign not_saturated = FAULTS && fault_i == mx_pkg::QuantizeFaultNotSaturated;
  assign no_minus_zero = FAULTS && fault_i == mx_pkg::QuantizeFaultZeroSign;
  assign equal_too     = FAULTS && fault_i == mx_pkg::QuantizeFaultStochasticEqual;

  // What the format says.
  logic [2:0]                    mantissa, sign_place;
  logic [ShiftBits-1:0]          last_binade;
  logic [mx_pkg::CodeBits-1:0]   max_code;
  logic                          twos_complement;
  assign mantissa        = mx_pkg::MantissaBits[format_i*8 +: 3];
  assign sign_place      = SIGN_PLACE[format_i*8 +: 3];
  assign last_binade     = mx_pkg::MaxShift[format_i*8 +: ShiftBits];
  assign max_code        = mx_pkg::MaxCode[format_i*8 +: 8];
  assign twos_complement = mx_pkg::TwosComplement[format_i*8];

  // --- the binade, and the word that is rounded
  logic                         on_top;
  logic signed [DIFFERENCE-1:0] exponent;  // of the leading bit
  logic [DIFFERENCE-1:0]        below;     // the least normal number's
  logic                         subnormal;
  logic [PLACES-1:0]            places;
  logic [EXACT_BITS+WordBits-1:0] wide;
  logic [WordBits-1:0]          aligned;
  assign on_top    = exact_i[EXACT_BITS-1];
  assign exponent  = exponent_i - DIFFERENCE'(!on_top);
  assign subnormal = exponent < 0;
  assign below     = -exponent;
  assign places    = PLACES'(MANTISSA) - PLACES'(mantissa)
                   + (!subnormal ? '0 : below > DIFFERENCE'(FARTHEST) ? PLACES'(FARTHEST)
                                                                      : below[PLACES-1:0]);
  assign wide      = {on_top ? exact_i : {exact_i[EXACT_BITS-2:0], 1'b0}, {WordBits{1'b0}}};
  assign aligned   = wide[EXACT_BITS+WordBits-1 -: WordBits];
  assign word_o    = aligned >> places;
  assign beyond_o  = exponent > $signed(DIFFERENCE'(last_binade));
  assign binade_o  = subnormal ? '0 : beyond_o ? last_binade : exponent[ShiftBits-1:0];
  logic unused_low;
  assign unused_low = ^wide[EXACT_BITS-1:0];

  // --- rounding
  logic [QuotientBits-1:0]  quotient;
  logic [FRACTION_BITS-1:0] fraction;
  logic                     half, rest, up;
  assign {quotient, fraction} = word_o;
  assign half = fraction[FRACTION_BITS-1];
  assign rest = rest_i || fraction[FRACTION_BITS-2:0] != '0;
  logic random_up;
  if (STOCHASTIC) begin : gen_stochastic
    assign random_up = random_i < fraction || (equal_too && random_i == fraction);
  end else begin : gen_no_stochastic
    logic unused_random;
    assign unused_random = ^{random_i, equal_too};
    assign random_up     = 1'b0;
  end
  assign up = rounding_i == mx_pkg::RoundRne        ? half && (rest || quotient[0] || tie_away)
            : rounding_i == mx_pkg::RoundRna        ? half
            : rounding_i == mx_pkg::RoundStochastic ? random_up : 1'b0;

  // --- the code: the quotient holds the hidden bit, so that a carry moves into the exponent
  logic [mx_pkg::CodeBits-1:0] below_quotient, sum, magnitude, sign;
  assign below_quotient = mx_pkg::CodeBits'(binade_o) << mantissa;
  assign sum            = below_quotient + mx_pkg::CodeBits'(quotient) + mx_pkg::CodeBits'(up);
  assign magnitude      = beyond_o || (sum > max_code && !not_saturated) ? max_code : sum;
  assign sign           = mx_pkg::CodeBits'(negative_i && !(no_minus_zero && magnitude == '0))
                        << sign_place;
  assign code_o = !twos_complement ? magnitude | sign : negative_i ? -magnitude : magnitude;

  logic [mx_pkg::CodeBits-1:0] rounded;
  assign rounded   = magnitude - below_quotient;
  assign rounded_o = rounded[QuotientBits:0];
  if (QuotientBits + 1 < mx_pkg::CodeBits) begin : gen_high
    logic unused_high;
    assign unused_high = ^rounded[mx_pkg::CodeBits-1:QuotientBits+1];
  end

endmodule
