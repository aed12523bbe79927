// Exact sum of the products of some lanes, in the product of the formats' units. Combinational.
module mx_block_sum #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int LANES = 32,
  parameter bit FAULTS = 1'b0,
  localparam int ABits   = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits   = mx_width_pkg::element_bits(B_FORMATS),
  localparam int SumBits = mx_width_pkg::sum_bits(A_FORMATS, B_FORMATS, LANES)
) (
  input  logic [LANES*ABits-1:0]       a_i,  // elements, as mx_width_pkg::element_bits says
  input  logic [LANES*BBits-1:0]       b_i,
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic [SumBits-1:0]           sum_o,      // two's complement
  output logic                         nonzero_o,  // a product is not zero
  output logic                         inf_o,      // the sum is Inf, its sign below
  output logic                         inf_negative_o,
  output logic                         nan_o       // Inf · 0, or Inf - Inf
);
  localparam int LAST         = LANES - 1;
  localparam int A_NUMBER     = mx_width_pkg::number_bits(A_FORMATS);
  localparam int B_NUMBER     = mx_width_pkg::number_bits(B_FORMATS);
  localparam int PRODUCT_BITS = mx_width_pkg::product_bits(A_FORMATS, B_FORMATS);
  localparam int SIGNIFICAND  = mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS);
  localparam int SHIFT        = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS);

  logic [3*LANES-1:0]        a_flags, b_flags;
  logic [LANES*A_NUMBER-1:0] a_numbers;
  logic [LANES*B_NUMBER-1:0] b_numbers;
  assign {a_flags, a_numbers} = a_i;
  assign {b_flags, b_numbers} = b_i;

  logic last_lane_lost, last_negative, one_bit_short, cancelled_is_zero;  // planted faults

  // -p = ~p + 1: a lane adds ~p for a negative product; the ones are counted and added at the end.
  logic [LANES-1:0]   product_negative, negative, nonzero, inf, nan;
  logic [SumBits-1:0] sum;
  mx_product_flags #(
    .LANES(LANES)
  ) u_flags (
    .a_i       (a_flags),
    .b_i       (b_flags),
    .negative_o(product_negative),
    .nonzero_o (nonzero),
    .inf_o     (inf),
    .nan_o     (nan)
  );
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [SIGNIFICAND-1:0]  significand;
    logic [SHIFT-1:0]        shift;
    logic [PRODUCT_BITS-1:0] counted, magnitude;
    logic [SumBits-1:0]      product, partial;  // of this lane; of the lanes up to this one
    mx_mul #(
      .A_FORMATS(A_FORMATS),
      .B_FORMATS(B_FORMATS),
      .FAULTS   (FAULTS)
    ) u_mul (
      .a_i          (a_numbers[i*A_NUMBER +: A_NUMBER]),
      .b_i          (b_numbers[i*B_NUMBER +: B_NUMBER]),
      .fault_i,
      .significand_o(significand),
      .shift_o      (shift)
    );
    if (i == LAST) begin : gen_last
      assign counted = PRODUCT_BITS'(significand) & {PRODUCT_BITS{!last_lane_lost}};
    end else begin : gen_others
      assign counted = PRODUCT_BITS'(significand);
    end
    assign magnitude = counted << shift;
    assign product = SumBits'(magnitude) ^ {SumBits{negative[i]}};
    if (i == 0) begin : gen_first
      assign partial = product;
    end else begin : gen_next
      assign partial = gen_lane[i-1].partial + product;
    end
  end
  assign negative = product_negative | (LANES'(last_negative) << LAST);
  assign sum      = gen_lane[LAST].partial + SumBits'($countones(negative));

  assign last_lane_lost    = FAULTS && fault_i == mx_pkg::FaultSumLastLane && negative[0];
  assign last_negative     = FAULTS && fault_i == mx_pkg::FaultSignBothNegative
                          && a_flags[2*LANES-1] && b_flags[2*LANES-1];
  assign one_bit_short     = FAULTS && fault_i == mx_pkg::FaultSumOneBitShort;
  assign cancelled_is_zero = FAULTS && fault_i == mx_pkg::FaultSumAllCancelled;

  assign sum_o     = one_bit_short ? {sum[SumBits-2], sum[SumBits-2:0]} : sum;
  assign nonzero_o = |nonzero && !(cancelled_is_zero && sum_o == '0);

  logic positive_inf, negative_inf;
  assign positive_inf   = |(inf & ~product_negative);
  assign negative_inf   = |(inf & product_negative);
  assign inf_o          = |inf;
  assign inf_negative_o = negative_inf;
  assign nan_o          = |nan || (positive_inf && negative_inf);

endmodule
