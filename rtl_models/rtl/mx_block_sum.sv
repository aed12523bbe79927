// Exact sum of the products of a block pair, in the product of the formats' units. Combinational.
module mx_block_sum #(
  parameter bit FAULTS = 1'b0
) (
  // Lane i of a vector of W-bit lanes at [i*W +: W].
  input  logic [mx_pkg::Block-1:0]                         a_negative_i,
  input  logic [mx_pkg::Block*mx_pkg::SignificandBits-1:0] a_significand_i,
  input  logic [mx_pkg::Block*mx_pkg::ShiftBits-1:0]       a_shift_i,
  input  logic [mx_pkg::Block-1:0]                         a_nonzero_i,
  input  logic [mx_pkg::Block-1:0]                         b_negative_i,
  input  logic [mx_pkg::Block*mx_pkg::SignificandBits-1:0] b_significand_i,
  input  logic [mx_pkg::Block*mx_pkg::ShiftBits-1:0]       b_shift_i,
  input  logic [mx_pkg::Block-1:0]                         b_nonzero_i,
  input  logic [mx_pkg::FaultBits-1:0]                     fault_i,
  output logic [mx_pkg::SumBits-1:0]                       sum_o,     // two's complement
  output logic                                             nonzero_o  // a product is not zero
);
  localparam int LAST = mx_pkg::Block - 1;

  logic last_lane_lost, last_negative, one_bit_short, cancelled_is_zero;  // planted faults

  // -p = ~p + 1: a lane adds ~p for a negative product; the ones are counted and added at the end.
  logic [mx_pkg::Block-1:0]   negative;
  logic [mx_pkg::SumBits-1:0] sum;
  for (genvar i = 0; i < mx_pkg::Block; i++) begin : gen_lane
    logic [mx_pkg::ProductBits-1:0] magnitude, counted;
    logic [mx_pkg::SumBits-1:0]     product, partial;  // of this lane; of the lanes up to this one
    mx_mul #(
      .FAULTS(FAULTS)
    ) u_mul (
      .a_significand_i(a_significand_i[i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits]),
      .a_shift_i      (a_shift_i[i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits]),
      .b_significand_i(b_significand_i[i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits]),
      .b_shift_i      (b_shift_i[i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits]),
      .fault_i        (fault_i),
      .magnitude_o    (magnitude)
    );
    assign product = mx_pkg::SumBits'(counted) ^ {mx_pkg::SumBits{negative[i]}};
    if (i == LAST) begin : gen_last
      assign counted = magnitude & {mx_pkg::ProductBits{!last_lane_lost}};
    end else begin : gen_others
      assign counted = magnitude;
    end
    if (i == 0) begin : gen_first
      assign partial = product;
    end else begin : gen_next
      assign partial = gen_lane[i-1].partial + product;
    end
  end
  assign negative = (a_negative_i ^ b_negative_i) | {last_negative, {LAST{1'b0}}};
  assign sum      = gen_lane[LAST].partial + mx_pkg::SumBits'($countones(negative));

  assign last_lane_lost    = FAULTS && fault_i == mx_pkg::FaultSumLastLane && negative[0];
  assign last_negative     = FAULTS && fault_i == mx_pkg::FaultSignBothNegative &&
                             a_negative_i[LAST] && b_negative_i[LAST];
  assign one_bit_short     = FAULTS && fault_i == mx_pkg::FaultSumOneBitShort;
  assign cancelled_is_zero = FAULTS && fault_i == mx_pkg::FaultSumAllCancelled;

  assign sum_o     = one_bit_short ? {sum[mx_pkg::SumBits-2], sum[mx_pkg::SumBits-2:0]} : sum;
  assign nonzero_o = |(a_nonzero_i & b_nonzero_i) && !(cancelled_is_zero && sum_o == '0);

endmodule
