// Element decoder: a code of a run-time format → sign, significand, place, NaN.
// value = ±significand · 2^shift units of the format. Subnormals have the place of the least
// normal number and no hidden bit. Combinational; one decoder a row of mx_pkg's table, then a
// choice.
module mx_decode #(
  parameter bit FAULTS = 1'b0
) (
  input  logic [mx_pkg::FormatBits-1:0]      format_i,
  input  logic [mx_pkg::CodeBits-1:0]        code_i,
  input  logic [mx_pkg::FaultBits-1:0]       fault_i,
  output logic                               negative_o,
  output logic [mx_pkg::SignificandBits-1:0] significand_o,
  output logic [mx_pkg::ShiftBits-1:0]       shift_o,
  output logic                               nan_o       // the other outputs mean nothing then
);

  logic subnormal_is_normal, max_is_nan;
  assign subnormal_is_normal = FAULTS && fault_i == mx_pkg::FaultDecodeSubnormal;
  assign max_is_nan          = FAULTS && fault_i == mx_pkg::FaultDecodeMaxAsNan;

  // What the code is in each format, and in the chosen one of those up to f.
  for (genvar f = 0; f < mx_pkg::NumFormats; f++) begin : gen_format
    localparam int E = {24'b0, mx_pkg::ExponentBits[f*8 +: 8]};
    localparam int M = {24'b0, mx_pkg::MantissaBits[f*8 +: 8]};

    logic [E-1:0] exponent;
    logic [M-1:0] mantissa;
    logic         normal;
    assign exponent = code_i[M +: E];
    assign mantissa = code_i[0 +: M];
    assign normal   = exponent != '0 || (subnormal_is_normal && mantissa != '0);

    logic                               negative, nan, chosen_negative, chosen_nan;
    logic [mx_pkg::SignificandBits-1:0] significand, chosen_significand;
    logic [mx_pkg::ShiftBits-1:0]       shift, chosen_shift;
    assign negative    = code_i[E+M];
    assign significand = mx_pkg::SignificandBits'({normal, mantissa});
    assign shift       = exponent == '0 ? '0 : mx_pkg::ShiftBits'(exponent) - 1'b1;
    assign nan         = mx_pkg::NanAllOnes[f*8] && &exponent && &(mantissa | M'(max_is_nan));
    if (f == 0) begin : gen_first
      assign chosen_negative    = negative;
      assign chosen_significand = significand;
      assign chosen_shift       = shift;
      assign chosen_nan         = nan;
    end else begin : gen_next
      logic other;
      assign other              = format_i != mx_pkg::FormatBits'(f);
      assign chosen_negative    = other ? gen_format[f-1].chosen_negative : negative;
      assign chosen_significand = other ? gen_format[f-1].chosen_significand : significand;
      assign chosen_shift       = other ? gen_format[f-1].chosen_shift : shift;
      assign chosen_nan         = other ? gen_format[f-1].chosen_nan : nan;
    end
  end
  assign negative_o    = gen_format[mx_pkg::NumFormats-1].chosen_negative;
  assign significand_o = gen_format[mx_pkg::NumFormats-1].chosen_significand;
  assign shift_o       = gen_format[mx_pkg::NumFormats-1].chosen_shift;
  assign nan_o         = gen_format[mx_pkg::NumFormats-1].chosen_nan;

endmodule
