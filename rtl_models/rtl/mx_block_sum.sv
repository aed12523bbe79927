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

  for (genvar i = 0; i < mx_pkg::Block; i++) begin : gen_lane
    logic                           negative, subtracts, counts;
    logic [mx_pkg::ProductBits-1:0] magnitude, counted;
    logic [mx_pkg::SumBits-1:0]     product, sum;  // of this lane; of the lanes up to this one
    mx_mul #(
      .FAULTS(FAULTS)
    ) u_mul (
      .a_negative_i   (a_negative_i[i]),
      .a_significand_i(a_significand_i[i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits]),
      .a_shift_i      (a_shift_i[i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits]),
      .b_negative_i   (b_negative_i[i]),
      .b_significand_i(b_significand_i[i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits]),
      .b_shift_i      (b_shift_i[i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits]),
      .fault_i        (fault_i),
      .negative_o     (negative),
      .magnitude_o    (magnitude)
    );
    if (i == LAST && FAULTS) begin : gen_fault
      logic both_negative;
      assign both_negative = a_negative_i[i] && b_negative_i[i];
      assign counts = !(fault_i == mx_pkg::FaultSumLastLane && gen_lane[0].negative);
      assign subtracts = negative || (fault_i == mx_pkg::FaultSignBothNegative && both_negative);
    end else begin : gen_sound
      assign counts = 1'b1;
      assign subtracts = negative;
    end
    assign counted = magnitude & {mx_pkg::ProductBits{counts}};
    assign product = (mx_pkg::SumBits'(counted) ^ {mx_pkg::SumBits{subtracts}})
                   + mx_pkg::SumBits'(subtracts);
    if (i == 0) begin : gen_first
      assign sum = product;
    end else begin : gen_next
      assign sum = gen_lane[i-1].sum + product;
    end
  end

  logic one_bit_short, cancelled_is_zero;
  assign one_bit_short     = FAULTS && fault_i == mx_pkg::FaultSumOneBitShort;
  assign cancelled_is_zero = FAULTS && fault_i == mx_pkg::FaultSumAllCancelled;

  assign sum_o = one_bit_short ? {gen_lane[LAST].sum[mx_pkg::SumBits-2],
                                  gen_lane[LAST].sum[mx_pkg::SumBits-2:0]} : gen_lane[LAST].sum;
  assign nonzero_o = |(a_nonzero_i & b_nonzero_i) && !(cancelled_is_zero && sum_o == '0);

endmodule
