// Element decoder: a code of a run-time format → an element: sign, significand, place, Inf.
// value = ±significand · 2^shift units of the format. Subnormals have the place of the least
// normal number and no hidden bit. Combinational; one decoder a format of the set, then a choice.
module mx_decode #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int SignificandBits = mx_width_pkg::significand_bits(FORMATS),
  localparam int ShiftBits       = mx_width_pkg::shift_bits(FORMATS),
  localparam int ElementBits     = mx_width_pkg::element_bits(FORMATS)
) (
  input  logic [mx_pkg::FormatBits-1:0] format_i,  // of the set; with one format alone not read
  input  logic [mx_pkg::CodeBits-1:0]   code_i,
  input  logic [mx_pkg::FaultBits-1:0]  fault_i,
  output logic [ElementBits-1:0]        element_o,  // {inf, negative, nonzero, significand, shift}
  output logic                          nan_o       // the element means nothing then
);

  logic subnormal_is_normal, max_is_nan;
  assign subnormal_is_normal = FAULTS && fault_i == mx_pkg::FaultDecodeSubnormal;
  assign max_is_nan          = FAULTS && fault_i == mx_pkg::FaultDecodeMaxAsNan;

  // What the code is in each format, and in the chosen one of those up to f.
  for (genvar f = 0; f < mx_pkg::NumFormats; f++) begin : gen_format
    localparam int E = {24'b0, mx_pkg::ExponentBits[f*8 +: 8]};
    localparam int M = {24'b0, mx_pkg::MantissaBits[f*8 +: 8]};
    localparam bit FIRST = (FORMATS & ((mx_pkg::NumFormats)'(1 << f) - 1'b1)) == '0;

    logic [ElementBits-1:0] chosen;  // {nan, inf, negative, significand, shift}
    if (FORMATS[f]) begin : gen_decoder
      logic                       negative, inf, nan;
      logic [SignificandBits-1:0] significand;
      logic [ShiftBits-1:0]       shift;
      assign negative = code_i[E+M];
      if (mx_pkg::TwosComplement[f*8]) begin : gen_number
        logic unused_faults;
        assign unused_faults = subnormal_is_normal ^ max_is_nan;
        assign significand = SignificandBits'((code_i[E+M:0] ^ {(1+E+M){negative}})
                                              + (1+E+M)'(negative));
        assign shift       = '0;
        assign inf         = 1'b0;
        assign nan         = 1'b0;
      end else begin : gen_fields
        logic [E-1:0] exponent;
        logic [M-1:0] mantissa;
        logic         normal;
        assign exponent    = code_i[M +: E];
        assign mantissa    = code_i[0 +: M];
        assign normal      = exponent != '0 || (subnormal_is_normal && mantissa != '0);
        assign significand = SignificandBits'({normal, mantissa});
        assign shift       = exponent == '0 ? '0 : ShiftBits'(exponent) - 1'b1;
        assign inf = mx_pkg::InfAndNan[f*8] && &exponent && mantissa == '0;
        assign nan = (mx_pkg::InfAndNan[f*8] && &exponent && mantissa != '0)
                  || (mx_pkg::NanAllOnes[f*8] && &exponent && &(mantissa | M'(max_is_nan)));
      end
      if (FIRST) begin : gen_first
        logic unused_others;  // of one format alone its number says nothing
        assign unused_others = ^format_i;
        assign chosen = {nan, inf, negative, significand, shift};
      end else begin : gen_next
        assign chosen = format_i == mx_pkg::FormatBits'(f)
                      ? {nan, inf, negative, significand, shift} : gen_format[f-1].chosen;
      end
    end else if (FIRST) begin : gen_none
      logic unused_chosen;
      assign unused_chosen = ^chosen;
      assign chosen = '0;
    end else begin : gen_pass
      assign chosen = gen_format[f-1].chosen;
    end
  end
  logic                       inf, negative;
  logic [SignificandBits-1:0] significand;
  logic [ShiftBits-1:0]       shift;
  assign {nan_o, inf, negative, significand, shift} = gen_format[mx_pkg::NumFormats-1].chosen;
  assign element_o = {inf, negative, significand != '0, significand, shift};

endmodule
