// The scale exponent of an MX block from its largest magnitude, before it is clamped (ARITHMETIC §2
// step 3). `mse` begins with the exponent of `floor`. Combinational.
module mx_scale_rule #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int Bits = mx_quantize_pkg::DifferenceBits
) (
  input  logic [mx_pkg::FormatBits-1:0]         format_i,
  input  logic [mx_pkg::RuleBits-1:0]           rule_i,
  input  logic [mx_quantize_pkg::PartsBits-1:0] max_i,  // as fp32_unpack gives it
  input  logic [mx_pkg::QuantizeFaultBits-1:0]  fault_i,
  output logic signed [Bits-1:0]                exponent_o
);
  localparam int SIGNIFICAND = mx_quantize_pkg::SignificandBits;

  logic even_is_floor, at_max_too;  // planted faults
  assign even_is_floor = FAULTS && fault_i == mx_pkg::QuantizeFaultEvenRoundsDown;
  assign at_max_too    = FAULTS && fault_i == mx_pkg::QuantizeFaultRoundupAtMax;

  logic [mx_quantize_pkg::ExponentBits-1:0] exponent;
  logic [SIGNIFICAND-1:0]                   significand;
  assign {exponent, significand} = max_i;

  // Format by format: whether the maximum, rounded half up to the element's mantissa, carries, and
  // whether its significand lies at or above that of the largest number.
  logic [2**mx_pkg::FormatBits-1:0] carries, above;
  logic [mx_pkg::NumFormats-1:0]    at_largest;
  for (genvar f = 0; f < 2**mx_pkg::FormatBits; f++) begin : gen_format
    if (f < mx_pkg::NumFormats) begin : gen_row
      localparam int M = {24'b0, mx_pkg::MantissaBits[f*8 +: 8]};
      localparam logic [SIGNIFICAND-1:0] LARGEST =
          {1'b1, mx_pkg::MaxCode[f*8 +: M], {(SIGNIFICAND-M-1){1'b0}}};
      if (FORMATS[f]) begin : gen_compare
        assign carries[f]    = &significand[SIGNIFICAND-1 -: M+2];
        assign at_largest[f] = significand == LARGEST;
        assign above[f]      = significand > LARGEST || (at_max_too && at_largest[f]);
      end else begin : gen_none
        assign {carries[f], at_largest[f], above[f]} = '0;
      end
    end else begin : gen_no_row
      assign {carries[f], above[f]} = '0;
    end
  end

  logic unused_largest;
  assign unused_largest = ^at_largest;

  logic up;
  assign up = rule_i == mx_pkg::RuleCeil    ? significand[SIGNIFICAND-2:0] != '0
            : rule_i == mx_pkg::RuleEven    ? carries[format_i] && !even_is_floor
            : rule_i == mx_pkg::RuleRoundup ? above[format_i] : 1'b0;
  logic signed [7:0] emax;
  assign emax       = mx_pkg::Emax[format_i*8 +: 8];
  assign exponent_o = Bits'(exponent) + Bits'(mx_quantize_pkg::Lowest) - Bits'(emax) + Bits'(up);

endmodule
