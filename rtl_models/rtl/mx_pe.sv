// Processing element: one element of a tile. Three registers between four stages; the array tells
// each when to load.
module mx_pe #(
  parameter bit FAULTS = 1'b0
) (
  input  logic clk_i,
  // Decoded blocks of its row (a) and column (b).
  input  logic [mx_pkg::Block-1:0]                         a_negative_i,
  input  logic [mx_pkg::Block*mx_pkg::SignificandBits-1:0] a_significand_i,
  input  logic [mx_pkg::Block*mx_pkg::ShiftBits-1:0]       a_shift_i,
  input  logic [mx_pkg::Block-1:0]                         a_nonzero_i,
  input  logic                                             a_nan_i,
  input  logic [7:0]                                       a_scale_i,
  input  logic signed [7:0]                                a_unit_log2_i,
  input  logic [mx_pkg::Block-1:0]                         b_negative_i,
  input  logic [mx_pkg::Block*mx_pkg::SignificandBits-1:0] b_significand_i,
  input  logic [mx_pkg::Block*mx_pkg::ShiftBits-1:0]       b_shift_i,
  input  logic [mx_pkg::Block-1:0]                         b_nonzero_i,
  input  logic                                             b_nan_i,
  input  logic [7:0]                                       b_scale_i,
  input  logic signed [7:0]                                b_unit_log2_i,
  input  logic [31:0]                                      start_i,  // binary32
  // The register takes the stage before it; `…_first_i`: the block there is its tile's first.
  input  logic                                             sum_load_i,
  input  logic                                             sum_first_i,
  input  logic                                             term_load_i,
  input  logic                                             term_first_i,
  input  logic                                             acc_load_i,
  input  logic                                             acc_first_i,
  input  logic [mx_pkg::FaultBits-1:0]                     fault_i,
  output logic [31:0]                                      acc_o,  // the accumulator
  output logic [31:0]                                      acc_next_o
);

  // --- decode → sum: products, their sum, scales
  logic [mx_pkg::SumBits-1:0]              sum, sum_q;
  logic signed [mx_pkg::ExponentWidth-1:0] exponent, sum_exponent_q;
  logic                                    nonzero, scale_nan, scale_nan_counts;
  logic                                    sum_nonzero_q, sum_nan_q;
  logic [31:0]                             sum_start_q;

  mx_block_sum #(
    .FAULTS(FAULTS)
  ) u_block_sum (
    .a_negative_i,
    .a_significand_i,
    .a_shift_i,
    .a_nonzero_i,
    .b_negative_i,
    .b_significand_i,
    .b_shift_i,
    .b_nonzero_i,
    .fault_i,
    .sum_o    (sum),
    .nonzero_o(nonzero)
  );

  e8m0_scale #(
    .FAULTS(FAULTS)
  ) u_scale (
    .a_scale_i,
    .b_scale_i,
    .a_unit_log2_i,
    .b_unit_log2_i,
    .fault_i,
    .exponent_o(exponent),
    .nan_o     (scale_nan)
  );
  assign scale_nan_counts =
      !(FAULTS && fault_i == mx_pkg::FaultNanScaleWithoutProduct && !nonzero);

  always_ff @(posedge clk_i) begin
    if (sum_load_i) begin
      sum_q          <= sum;
      sum_exponent_q <= exponent;
      sum_nonzero_q  <= nonzero;
      sum_nan_q      <= a_nan_i || b_nan_i || (scale_nan && scale_nan_counts);
      if (sum_first_i) sum_start_q <= start_i;
    end
  end

  // --- sum → term: sign and magnitude, normalised
  logic                                    negative, term_negative_q;
  logic [mx_pkg::TermBits-1:0]             significand, term_significand_q;
  logic signed [mx_pkg::ExponentWidth-1:0] term_exponent, term_exponent_q;
  logic                                    term_nonzero_q, term_nan_q;
  logic [31:0]                             term_start_q;

  fp32_term u_term (
    .sum_i        (sum_q),
    .exponent_i   (sum_exponent_q),
    .negative_o   (negative),
    .significand_o(significand),
    .exponent_o   (term_exponent)
  );

  always_ff @(posedge clk_i) begin
    if (term_load_i) begin
      term_negative_q    <= negative;
      term_significand_q <= significand;
      term_exponent_q    <= term_exponent;
      term_nonzero_q     <= sum_nonzero_q;
      term_nan_q         <= sum_nan_q;
      if (term_first_i) term_start_q <= sum_start_q;
    end
  end

  // --- term → accumulator
  logic [31:0] acc_q, acc_next;

  fp32_accumulate #(
    .FAULTS(FAULTS)
  ) u_accumulate (
    .acc_i             (acc_first_i ? term_start_q : acc_q),
    .term_negative_i   (term_negative_q),
    .term_significand_i(term_significand_q),
    .term_exponent_i   (term_exponent_q),
    .term_nonzero_i    (term_nonzero_q),
    .term_nan_i        (term_nan_q),
    .fault_i,
    .acc_o             (acc_next)
  );

  always_ff @(posedge clk_i) begin
    if (acc_load_i) acc_q <= acc_next;
  end

  assign acc_o      = acc_q;
  assign acc_next_o = acc_next;

endmodule
