// What mx_pe_exact holds → binary32: the one rounding of the datapath `exact`. Combinational.
module mx_exact_round #(
  parameter int EXACT_BITS = 614,
  parameter int LOWEST     = -286,  // exponent of the lowest bit
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic [36+EXACT_BITS-1:0]     state_i,
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic [31:0]                  result_o
);
  // A fixed-point number that holds the start too: binary32 goes from 2^-149 to 2^128.
  localparam int LOW  = LOWEST < -149 ? LOWEST : -149;
  localparam int HIGH = LOWEST + EXACT_BITS > 129 ? LOWEST + EXACT_BITS : 129;
  localparam int WIDE = HIGH - LOW + 1;

  logic                  nan, positive, minus, nonzero;
  logic [31:0]           start;
  logic [EXACT_BITS-1:0] exact;
  assign {nan, positive, minus, nonzero, start, exact} = state_i;

  logic            start_negative, start_normal, start_special, start_nan;
  logic [WIDE-1:0] start_magnitude, start_number, sum;
  assign start_negative  = start[31];
  assign start_normal    = start[30:23] != '0;
  assign start_special   = &start[30:23];
  assign start_nan       = start_special && start[22:0] != '0;
  assign start_magnitude = WIDE'({start_normal, start[22:0]})
                        << ((-149 - LOW) + (start_normal ? 32'(start[30:23]) - 32'd1 : 32'd0));
  assign start_number    = (start_magnitude ^ {WIDE{start_negative}}) + WIDE'(start_negative);
  assign sum             = (WIDE'($signed(exact)) << (LOWEST - LOW)) + start_number;

  localparam int ZEROS = $clog2(WIDE);
  logic                                    negative;
  logic [WIDE-2:0]                         magnitude, significand;
  logic [ZEROS-1:0]                        zeros;
  logic signed [mx_pkg::ExponentWidth-1:0] exponent;
  logic [30:0]                             rounded;
  assign negative  = sum[WIDE-1];
  assign magnitude = (sum[WIDE-2:0] ^ {(WIDE-1){negative}}) + (WIDE-1)'(negative);
  leading_zeros #(
    .WIDTH(WIDE-1)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );
  assign significand = magnitude << zeros;
  assign exponent    = mx_pkg::ExponentWidth'(LOW + WIDE - 2 + 127)
                     - mx_pkg::ExponentWidth'(zeros);
  fp32_from_term #(
    .TERM_BITS(25),
    .FTZ      (FTZ),
    .FAULTS   (FAULTS)
  ) u_round (
    .significand_i(significand[WIDE-2 -: 25]),
    .sticky_i     (significand[WIDE-27:0] != '0),
    .exponent_i   (exponent),
    .fault_i,
    .magnitude_o  (rounded)
  );

  // An exact zero is +0, but that a start of -0 stays where no product is nonzero.
  logic plus_inf, minus_inf;
  assign plus_inf  = positive || (start_special && !start_negative);
  assign minus_inf = minus || (start_special && start_negative);
  assign result_o  = nan || start_nan || (plus_inf && minus_inf) ? 32'h7fc0_0000
                   : plus_inf ? 32'h7f80_0000 : minus_inf ? 32'hff80_0000
                   : magnitude == '0 ? {start_negative && !nonzero, 31'b0} : {negative, rounded};

endmodule
