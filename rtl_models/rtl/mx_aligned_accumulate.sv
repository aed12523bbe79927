// acc ← acc and the terms of an aligned step (ARITHMETIC §4): aligned to the largest exponent, each
// truncated toward zero to FRACTION_BITS, summed exactly, converted to binary32. Every zero is +0.
// Combinational.
module mx_aligned_accumulate #(
  parameter int TERMS         = 32,
  parameter int TERM_BITS     = 16,
  parameter int INTEGER_BITS  = 3,   // of a term, above the binary point of its exponent
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic [31:0]                             acc_i,
  input  logic [TERMS-1:0]                        negative_i,
  input  logic [TERMS*TERM_BITS-1:0]              magnitude_i,
  input  logic [TERMS*mx_pkg::ExponentWidth-1:0]  lowest_i,    // exponents of the lowest bits
  input  logic signed [mx_pkg::ExponentWidth-1:0] greatest_i,  // exponent of the terms not zero
  input  logic                                    zero_i,      // a term is zero, or missing
  input  logic                                    inf_positive_i,
  input  logic                                    inf_negative_i,
  input  logic                                    nan_i,
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic [31:0]                             acc_o
);
  // Exponents with room for any E_ZERO.
  localparam int EXPONENT = 12;
  localparam logic signed [EXPONENT-1:0] ZERO = EXPONENT'(E_ZERO + 127);
  localparam int FIXED = INTEGER_BITS + FRACTION_BITS;      // a term, aligned and truncated
  localparam int SUM   = FIXED + $clog2(TERMS + 1) + 1;     // two's complement

  // --- the largest exponent
  logic                       acc_negative, acc_normal, acc_special, acc_nan, acc_zero;
  logic signed [EXPONENT-1:0] acc_exponent, greatest, max;
  assign acc_negative = acc_i[31];
  assign acc_normal   = acc_i[30:23] != '0;
  assign acc_special  = &acc_i[30:23];
  assign acc_nan      = acc_special && acc_i[22:0] != '0;
  assign acc_zero     = acc_i[30:0] == '0;
  assign acc_exponent = acc_zero ? ZERO : EXPONENT'({1'b0, acc_i[30:24], acc_i[23] | !acc_normal});
  assign greatest     = EXPONENT'(greatest_i) > acc_exponent ? EXPONENT'(greatest_i) : acc_exponent;
  assign max          = zero_i && ZERO > greatest ? ZERO : greatest;

  // --- align, truncate, add: the accumulator last
  for (genvar t = 0; t <= TERMS; t++) begin : gen_term
    localparam int BITS = t < TERMS ? TERM_BITS : 24;
    localparam int WIDE = BITS + FRACTION_BITS > FIXED ? BITS + FRACTION_BITS : FIXED;
    localparam int PLACES = $clog2(WIDE + 1);
    logic                       negative;
    logic [BITS-1:0]            magnitude;
    logic signed [EXPONENT-1:0] lowest, distance;
    logic [PLACES-1:0]          places;
    logic [FIXED-1:0]           moved;
    logic [SUM-1:0]             term, partial;
    if (t < TERMS) begin : gen_product
      assign negative  = negative_i[t];
      assign magnitude = magnitude_i[t*TERM_BITS +: TERM_BITS];
      logic signed [mx_pkg::ExponentWidth-1:0] narrow;
      assign narrow    = lowest_i[t*mx_pkg::ExponentWidth +: mx_pkg::ExponentWidth];
      assign lowest    = EXPONENT'(narrow);
    end else begin : gen_acc
      assign negative  = acc_negative;
      assign magnitude = {acc_normal, acc_i[22:0]};
      assign lowest    = acc_exponent - EXPONENT'(23);
    end
    // Not below zero where the magnitude is not zero: max is its exponent, or above.
    assign distance = max - lowest;
    assign places   = |distance[EXPONENT-1:PLACES] ? {PLACES{1'b1}} : distance[PLACES-1:0];
    assign moved    = FIXED'((WIDE'(magnitude) << FRACTION_BITS) >> places);
    assign term     = SUM'(moved) ^ {SUM{negative}};
    if (t == 0) begin : gen_first
      assign partial = term;
    end else begin : gen_next
      assign partial = gen_term[t-1].partial + term;
    end
  end
  // -p = ~p + 1
  logic [SUM-1:0] sum;
  assign sum = gen_term[TERMS].partial + SUM'($countones({acc_negative, negative_i}));

  // --- sum → binary32
  localparam int ZEROS = $clog2(SUM);
  logic                       negative;
  logic [SUM-2:0]             magnitude, significand;
  logic [ZEROS-1:0]           zeros;
  logic signed [EXPONENT-1:0] exponent;
  logic [30:0]                rounded;
  assign negative  = sum[SUM-1];
  assign magnitude = (sum[SUM-2:0] ^ {(SUM-1){negative}}) + (SUM-1)'(negative);
  leading_zeros #(
    .WIDTH(SUM-1)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );
  assign significand = magnitude << zeros;
  // Of a sum that is not zero it is in range: its terms are.
  assign exponent    = magnitude == '0 ? '0
                     : max + EXPONENT'(SUM - 2 - FRACTION_BITS) - EXPONENT'({1'b0, zeros});
  fp32_from_term #(
    .TERM_BITS(SUM-1),
    .ROUNDING (ROUNDING),
    .FTZ      (FTZ),
    .FAULTS   (FAULTS)
  ) u_round (
    .significand_i(significand),
    .sticky_i     (1'b0),
    .exponent_i   (exponent[mx_pkg::ExponentWidth-1:0]),
    .fault_i,
    .magnitude_o  (rounded)
  );

  // --- special values
  logic nan, positive, minus;
  assign positive = inf_positive_i || (acc_special && !acc_negative);
  assign minus    = inf_negative_i || (acc_special && acc_negative);
  assign nan      = nan_i || acc_nan || (positive && minus);
  assign acc_o    = nan ? 32'h7fff_ffff : positive ? 32'h7f80_0000 : minus ? 32'hff80_0000
                  : {negative && rounded != '0, rounded};

  logic unused_exponent;
  assign unused_exponent = ^exponent[EXPONENT-1:mx_pkg::ExponentWidth];

endmodule
