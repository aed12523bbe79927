// A deliberately different accumulator, as an example of a module of your own: it aligns within 27
// bits and forgets what falls off, as many cheap adders do, where `fused` keeps it as a sticky bit.
//
//   mxref array --out build-cheap --format mxfp8_e4m3 --rtl rtl_models/array/example/fp32_accumulate.sv
//   mxref cosim --array build-cheap/array.so
//
// Ports as rtl_models/rtl/fp32_accumulate.sv.
module fp32_accumulate #(
  parameter int TERM_BITS = 41,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic [31:0]                             acc_i,
  input  logic                                    term_negative_i,
  input  logic [TERM_BITS-1:0]                    term_significand_i,
  input  logic signed [mx_pkg::ExponentWidth-1:0] term_exponent_i,
  input  logic                                    term_inf_i,
  input  logic                                    term_nan_i,
  input  logic                                    keeps_minus_i,
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic [31:0]                             acc_o
);
  localparam int WINDOW = 27;  // 24 bits of significand and three guard bits
  localparam int ZEROS  = $clog2(WINDOW + 2);

  // --- take apart, and cut the term to the window
  logic                                    acc_normal, acc_special, term_above, subtract;
  logic [WINDOW-1:0]                       acc_window, term_window, high, low, moved;
  logic signed [mx_pkg::ExponentWidth-1:0] acc_exponent, high_exponent;
  logic [mx_pkg::ExponentWidth-1:0]        distance;
  assign acc_normal   = acc_i[30:23] != '0;
  assign acc_special  = &acc_i[30:23];
  assign acc_exponent = mx_pkg::ExponentWidth'({1'b0, acc_i[30:24], acc_i[23] | !acc_normal});
  assign acc_window   = {acc_normal, acc_i[22:0], 3'b0};
  if (TERM_BITS > WINDOW) begin : gen_cut
    logic unused_bits;
    assign unused_bits = ^term_significand_i[TERM_BITS-WINDOW-1:0];
    assign term_window = term_significand_i[TERM_BITS-1 -: WINDOW];
  end else begin : gen_all
    assign term_window = WINDOW'(term_significand_i) << (WINDOW - TERM_BITS);
  end

  // --- align: what falls off is forgotten
  logic high_negative;
  assign term_above    = term_exponent_i > acc_exponent;
  assign high          = term_above ? term_window : acc_window;
  assign low           = term_above ? acc_window : term_window;
  assign high_negative = term_above ? term_negative_i : acc_i[31];
  assign high_exponent = term_above ? term_exponent_i : acc_exponent;
  assign distance      = term_above ? term_exponent_i - acc_exponent
                                    : acc_exponent - term_exponent_i;
  assign moved         = low >> distance;

  // --- add, normalise, round
  logic [WINDOW+1:0]                difference;
  logic [WINDOW:0]                  magnitude, normal;
  logic [ZEROS-1:0]                 zeros, shift;
  logic [mx_pkg::ExponentWidth-2:0] exponent;
  logic [30:0]                      rounded;
  assign subtract   = term_negative_i ^ acc_i[31];
  assign difference = subtract ? {2'b0, high} - {2'b0, moved} : {2'b0, high} + {2'b0, moved};
  assign magnitude  = difference[WINDOW+1] ? (WINDOW+1)'(-difference) : difference[WINDOW:0];
  leading_zeros #(
    .WIDTH(WINDOW+1)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );
  assign shift    = high_exponent < mx_pkg::ExponentWidth'({1'b0, zeros}) ? high_exponent[ZEROS-1:0]
                                                                          : zeros;
  assign normal   = magnitude << shift;
  assign exponent = high_exponent[mx_pkg::ExponentWidth-2:0] - (mx_pkg::ExponentWidth-1)'(shift);
  fp32_round #(
    .FAULTS(FAULTS)
  ) u_round (
    .significand_i(normal[WINDOW -: 24]),
    .guard_i      (normal[WINDOW-24]),
    .rest_i       (normal[WINDOW-25:0] != '0),
    .exponent_i   (exponent),
    .fault_i,
    .magnitude_o  (rounded)
  );

  // --- special values
  logic nan, flushed;
  assign nan     = (acc_special && acc_i[22:0] != '0) || term_nan_i
                || (acc_special && term_inf_i && subtract);
  assign flushed = FTZ && rounded[30:23] == '0;
  assign acc_o   = nan ? 32'h7fc0_0000
                 : term_inf_i ? {term_negative_i, 31'h7f80_0000}
                 : acc_special ? acc_i
                 : magnitude == '0 ? {acc_i[31] && keeps_minus_i, 31'b0}
                 : {high_negative ^ difference[WINDOW+1], flushed ? 31'b0 : rounded};

endmodule
