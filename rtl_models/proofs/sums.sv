// Proofs of mx_block_sum.

// From the codes of one format: the sum of LANES products of magnitudes, signs, Inf, NaN.
module prove_sum #(
  parameter logic [6:0] FORMATS = 7'h01,
  parameter int ONLY  = 0,
  parameter int LANES = 2,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [LANES*8-1:0] a_code, b_code,
  output logic               wrong
);
  localparam int N   = mx_width_pkg::number_bits(FORMATS);
  localparam int SUM = mx_width_pkg::sum_bits(FORMATS, FORMATS, LANES);
  logic [LANES*3-1:0] a_flags, b_flags;  // {inf, negative, nonzero}, each of all lanes
  logic [LANES*N-1:0] a, b;
  logic [SUM-1:0]     sum;
  logic               nonzero, inf, inf_negative, nan;
  mx_block_sum #(.A_FORMATS(FORMATS), .B_FORMATS(FORMATS), .LANES(LANES), .FAULTS(FAULTS)) dut (
    .a_i({a_flags, a}), .b_i({b_flags, b}), .fault_i(5'(FAULT)), .sum_o(sum), .nonzero_o(nonzero), .inf_o(inf),
    .inf_negative_o(inf_negative), .nan_o(nan)
  );
  logic [LANES-1:0]     negative, not_zero, a_inf, b_inf, a_zero, b_zero, a_nan, b_nan, element_nan;
  logic [LANES*80-1:0]  partial;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [79:0] va, vb, product;
    mx_decode #(.FORMATS(FORMATS)) u_a (
      .format_i(3'(ONLY)), .code_i(a_code[i*8 +: 8]), .fault_i(5'd0), .nan_o(a_nan[i]),
      .element_o({a_flags[2*LANES+i], a_flags[LANES+i], a_flags[i], a[i*N +: N]})
    );
    mx_decode #(.FORMATS(FORMATS)) u_b (
      .format_i(3'(ONLY)), .code_i(b_code[i*8 +: 8]), .fault_i(5'd0), .nan_o(b_nan[i]),
      .element_o({b_flags[2*LANES+i], b_flags[LANES+i], b_flags[i], b[i*N +: N]})
    );
    assign va = 80'(spec_pkg::magnitude(3'(ONLY), a_code[i*8 +: 8])) >> (16 + spec_pkg::unit_log2(3'(ONLY)));
    assign vb = 80'(spec_pkg::magnitude(3'(ONLY), b_code[i*8 +: 8])) >> (16 + spec_pkg::unit_log2(3'(ONLY)));
    assign product     = va * vb;
    assign negative[i] = spec_pkg::negative(3'(ONLY), a_code[i*8 +: 8]) ^ spec_pkg::negative(3'(ONLY), b_code[i*8 +: 8]);
    assign a_inf[i]    = spec_pkg::inf(3'(ONLY), a_code[i*8 +: 8]);
    assign b_inf[i]    = spec_pkg::inf(3'(ONLY), b_code[i*8 +: 8]);
    assign a_zero[i]   = va == '0;
    assign b_zero[i]   = vb == '0;
    assign element_nan[i] = spec_pkg::nan(3'(ONLY), a_code[i*8 +: 8]) || spec_pkg::nan(3'(ONLY), b_code[i*8 +: 8]);
    if (i == 0) begin : gen_first
      assign partial[79:0] = negative[i] ? -product : product;
    end else begin : gen_next
      assign partial[i*80 +: 80] = partial[(i-1)*80 +: 80] + (negative[i] ? -product : product);
    end
  end
  assign not_zero = ~a_zero & ~b_zero;
  logic [LANES-1:0] infinite;
  logic             expected_nan;
  assign infinite     = (a_inf | b_inf) & not_zero;
  assign expected_nan = ((a_inf & b_zero) | (b_inf & a_zero)) != '0
                     || ((infinite & negative) != '0 && (infinite & ~negative) != '0);
  assign wrong = element_nan == '0
              && (nan != expected_nan
               || (!nan && (inf != (infinite != '0) || nonzero != (not_zero != '0)
                         || (inf && inf_negative != ((infinite & negative) != '0))
                         || (!inf && {{(80-SUM){sum[SUM-1]}}, sum} != partial[LANES*80-1 -: 80]))));
endmodule

// From any elements of the set and the products that mx_mul makes of them: all LANES at once. What is added is each
// product, of a negative one -product - 1, lane by lane; and then their number.
module prove_whole_sum #(
  parameter logic [6:0] FORMATS = 7'h7f,
  parameter int LANES = 32,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0,
  localparam int N = mx_width_pkg::number_bits(FORMATS)
) (
  input  logic [LANES-1:0]   a_inf, a_minus, a_nonzero, b_inf, b_minus, b_nonzero,
  input  logic [LANES*N-1:0] a, b,
  output logic               wrong
);
  localparam int SUM         = mx_width_pkg::sum_bits(FORMATS, FORMATS, LANES);
  localparam int SIGNIFICAND = mx_width_pkg::product_significand_bits(FORMATS, FORMATS);
  localparam int SHIFT       = mx_width_pkg::product_shift_bits(FORMATS, FORMATS);
  localparam int PRODUCT     = mx_width_pkg::product_bits(FORMATS, FORMATS);
  logic [SUM-1:0] sum, expected;
  logic           nonzero, inf, inf_negative, nan;
  mx_block_sum #(.A_FORMATS(FORMATS), .B_FORMATS(FORMATS), .LANES(LANES), .FAULTS(FAULTS)) dut (
    .a_i({a_inf, a_minus, a_nonzero, a}), .b_i({b_inf, b_minus, b_nonzero, b}), .fault_i(5'(FAULT)), .sum_o(sum),
    .nonzero_o(nonzero), .inf_o(inf), .inf_negative_o(inf_negative), .nan_o(nan)
  );
  logic [LANES-1:0] negative, infinite, undefined;
  assign negative  = a_minus ^ b_minus;
  assign infinite  = (a_inf & b_nonzero) | (b_inf & a_nonzero);
  assign undefined = (a_inf & ~b_nonzero) | (b_inf & ~a_nonzero);
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [SIGNIFICAND-1:0] significand;
    logic [SHIFT-1:0]       shift;
    logic [PRODUCT-1:0]     narrow;  // as wide as any product of two elements is (prove_mul)
    logic [SUM-1:0]         product, added, total;
    mx_mul #(.A_FORMATS(FORMATS), .B_FORMATS(FORMATS)) u_mul (
      .a_i(a[i*N +: N]), .b_i(b[i*N +: N]), .fault_i(5'd0), .significand_o(significand), .shift_o(shift)
    );
    assign narrow  = PRODUCT'(significand) << shift;
    assign product = SUM'(narrow);
    assign added   = negative[i] ? ~product : product;  // ~product = -product - 1
    if (i == 0) begin : gen_first
      assign total = added;
    end else begin : gen_next
      assign total = gen_lane[i-1].total + added;
    end
  end
  assign expected = gen_lane[LANES-1].total + SUM'($countones(negative));
  assign wrong = SUM < PRODUCT + $clog2(LANES) + 1  // else it might not hold the sum
              || sum != expected
              || nonzero != ((a_nonzero & b_nonzero) != '0)
              || inf != (infinite != '0)
              || nan != (undefined != '0 || ((infinite & negative) != '0 && (infinite & ~negative) != '0))
              || (inf && !nan && inf_negative != ((infinite & negative) != '0));
endmodule
