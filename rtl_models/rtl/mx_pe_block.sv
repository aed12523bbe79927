// Processing element of the datapaths whose step is a rounding of binary32: `fused`, `blockwise`,
// where a step is a block, and `sequential`, where it is one product. Three registers between four
// stages; the array tells each when to load.
module mx_pe_block #(
  parameter int DATAPATH = mx_pkg::Fused,
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int STEP_LANES = 32,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0,
  localparam int ABits = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits = mx_width_pkg::element_bits(B_FORMATS)
) (
  input  logic                          clk_i,
  // The decoded lanes of its row (a) and column (b).
  input  logic [STEP_LANES*ABits-1:0]   a_elements_i,
  input  logic                          a_nan_i,
  input  logic [7:0]                    a_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] a_format_i,
  input  logic [STEP_LANES*BBits-1:0]   b_elements_i,
  input  logic                          b_nan_i,
  input  logic [7:0]                    b_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] b_format_i,
  input  logic [31:0]                   start_i,  // binary32
  // The register takes the stage before it; `…_first_i`: the step there is its tile's first.
  input  logic                          sum_load_i,
  input  logic                          sum_first_i,
  input  logic                          term_load_i,
  input  logic                          term_first_i,
  input  logic                          acc_load_i,
  input  logic                          acc_first_i,
  input  logic [mx_pkg::FaultBits-1:0]  fault_i,
  output logic [31:0]                   acc_o,  // the accumulator
  output logic [31:0]                   acc_next_o
);
  localparam int SUM       = mx_width_pkg::sum_bits(A_FORMATS, B_FORMATS, STEP_LANES);
  localparam int SCALE     = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS);
  localparam int SCALE_SUM = mx_width_pkg::ue4m3_sum_bits(A_FORMATS, B_FORMATS, STEP_LANES);
  localparam int EXACT     = mx_width_pkg::term_bits(A_FORMATS, B_FORMATS, STEP_LANES);
  localparam int TERM      = DATAPATH == mx_pkg::Blockwise ? 24 : EXACT;

  // --- decode → sum: products, their sum, scales
  logic [SUM-1:0]                          sum, sum_q;
  logic [SCALE-1:0]                        scale_significand, scale_significand_q;
  logic signed [mx_pkg::ExponentWidth-1:0] exponent, sum_exponent_q;
  logic                                    nonzero, inf, inf_negative, products_nan, scale_nan;
  logic                                    sum_keeps_minus, sum_keeps_minus_q;
  logic                                    sum_inf_q, sum_inf_negative_q, sum_nan_q;
  logic                                    scale_nan_counts;
  logic [31:0]                             sum_start_q;

  mx_block_sum #(
    .A_FORMATS(A_FORMATS),
    .B_FORMATS(B_FORMATS),
    .LANES    (STEP_LANES),
    .FAULTS   (FAULTS)
  ) u_block_sum (
    .a_i           (a_elements_i),
    .b_i           (b_elements_i),
    .fault_i,
    .sum_o         (sum),
    .nonzero_o     (nonzero),
    .inf_o         (inf),
    .inf_negative_o(inf_negative),
    .nan_o         (products_nan)
  );
  mx_scale #(
    .A_FORMATS(A_FORMATS),
    .B_FORMATS(B_FORMATS),
    .FAULTS   (FAULTS)
  ) u_scale (
    .a_format_i,
    .b_format_i,
    .a_scale_i,
    .b_scale_i,
    .fault_i,
    .significand_o(scale_significand),
    .exponent_o   (exponent),
    .nan_o        (scale_nan)
  );
  assign scale_nan_counts =
      !(FAULTS && fault_i == mx_pkg::FaultNanScaleWithoutProduct && !nonzero);
  // An accumulator -0 stays: where no product is nonzero; where IEEE adds -0.
  if (DATAPATH == mx_pkg::Fused) begin : gen_no_product
    assign sum_keeps_minus = !nonzero;
  end else if (DATAPATH == mx_pkg::Blockwise) begin : gen_negative_sum
    assign sum_keeps_minus = sum[SUM-1];
  end else begin : gen_negative_product
    assign sum_keeps_minus = a_elements_i[ABits-2] ^ b_elements_i[BBits-2];
  end

  always_ff @(posedge clk_i) begin
    if (sum_load_i) begin
      sum_q               <= sum;
      scale_significand_q <= scale_significand;
      sum_exponent_q      <= exponent;
      sum_keeps_minus_q   <= sum_keeps_minus;
      sum_inf_q           <= inf;
      sum_inf_negative_q  <= inf_negative;
      sum_nan_q           <= a_nan_i || b_nan_i || products_nan || (scale_nan && scale_nan_counts);
      if (sum_first_i) sum_start_q <= start_i;
    end
  end

  // --- sum → term: sign and magnitude, scaled, normalised; of `blockwise` rounded
  logic                                    negative, term_negative_q;
  logic [EXACT-1:0]                        exact_significand;
  logic signed [mx_pkg::ExponentWidth-1:0] exact_exponent, term_exponent, term_exponent_q;
  logic [TERM-1:0]                         term_significand, term_significand_q;
  logic                                    overflow, term_keeps_minus_q, term_inf_q, term_nan_q;
  logic [31:0]                             term_start_q;

  fp32_term #(
    .SUM_BITS      (SUM),
    .SCALE_BITS    (SCALE),
    .SCALE_SUM_BITS(SCALE_SUM),
    .TERM_BITS     (EXACT)
  ) u_term (
    .sum_i              (sum_q),
    .scale_significand_i(scale_significand_q),
    .exponent_i         (sum_exponent_q),
    .negative_o         (negative),
    .significand_o      (exact_significand),
    .exponent_o         (exact_exponent)
  );
  if (DATAPATH == mx_pkg::Blockwise) begin : gen_rounded
    logic [30:0] rounded;
    fp32_from_term #(
      .TERM_BITS(EXACT),
      .FTZ      (FTZ),
      .FAULTS   (FAULTS)
    ) u_round (
      .significand_i(exact_significand),
      .sticky_i     (1'b0),
      .exponent_i   (exact_exponent),
      .fault_i,
      .magnitude_o  (rounded)
    );
    assign overflow         = &rounded[30:23];
    assign term_significand = {rounded[30:23] != '0, rounded[22:0]};
    assign term_exponent    = mx_pkg::ExponentWidth'({1'b0, rounded[30:24],
                                                      rounded[23] | (rounded[30:23] == '0)});
  end else begin : gen_exact
    assign overflow         = 1'b0;
    assign term_significand = exact_significand;
    assign term_exponent    = exact_exponent;
  end

  always_ff @(posedge clk_i) begin
    if (term_load_i) begin
      term_negative_q    <= sum_inf_q ? sum_inf_negative_q : negative;
      term_significand_q <= term_significand;
      term_exponent_q    <= term_exponent;
      term_keeps_minus_q <= sum_keeps_minus_q;
      term_inf_q         <= sum_inf_q || overflow;
      term_nan_q         <= sum_nan_q;
      if (term_first_i) term_start_q <= sum_start_q;
    end
  end

  // --- term → accumulator
  logic [31:0] acc_q, acc_next;

  fp32_accumulate #(
    .TERM_BITS(TERM),
    .FTZ      (FTZ),
    .FAULTS   (FAULTS)
  ) u_accumulate (
    .acc_i             (acc_first_i ? term_start_q : acc_q),
    .term_negative_i   (term_negative_q),
    .term_significand_i(term_significand_q),
    .term_exponent_i   (term_exponent_q),
    .term_inf_i        (term_inf_q),
    .term_nan_i        (term_nan_q),
    .keeps_minus_i     (term_keeps_minus_q),
    .fault_i,
    .acc_o             (acc_next)
  );

  always_ff @(posedge clk_i) begin
    if (acc_load_i) acc_q <= acc_next;
  end

  assign acc_o      = acc_q;
  assign acc_next_o = acc_next;

endmodule
