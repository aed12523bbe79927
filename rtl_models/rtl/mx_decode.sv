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

  // What the code is in each format.
  logic [mx_pkg::NumFormats-1:0]                         negative;
  logic [mx_pkg::NumFormats*mx_pkg::SignificandBits-1:0] significand;
  logic [mx_pkg::NumFormats*mx_pkg::ShiftBits-1:0]       shift;
  logic [mx_pkg::NumFormats-1:0]                         nan;

  for (genvar f = 0; f < mx_pkg::NumFormats; f++) begin : gen_format
    localparam int E = {24'b0, mx_pkg::ExponentBits[f*8 +: 8]};
    localparam int M = {24'b0, mx_pkg::MantissaBits[f*8 +: 8]};

    logic [E-1:0] exponent;
    logic [M-1:0] mantissa;
    logic         normal;
    assign exponent = code_i[M +: E];
    assign mantissa = code_i[0 +: M];
    assign normal   = exponent != '0 || (subnormal_is_normal && mantissa != '0);

    assign negative[f] = code_i[E+M];
    assign significand[f*mx_pkg::SignificandBits +: mx_pkg::SignificandBits] =
        mx_pkg::SignificandBits'({normal, mantissa});
    assign shift[f*mx_pkg::ShiftBits +: mx_pkg::ShiftBits] =
        exponent == '0 ? '0 : mx_pkg::ShiftBits'(exponent) - 1'b1;
    assign nan[f] = mx_pkg::NanAllOnes[f*8] && &exponent && &(mantissa | M'(max_is_nan));
  end

  assign negative_o    = negative[format_i];
  assign significand_o =
      significand[format_i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits];
  assign shift_o       = shift[format_i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits];
  assign nan_o         = nan[format_i];

endmodule
