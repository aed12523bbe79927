// Processing element of the datapaths `aligned`: a step is the terms of one or more blocks, or of a
// part of one. Three registers between four stages; the array tells each when to load.
module mx_pe_aligned #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int STEP_LANES    = 32,
  parameter int STEP_BLOCKS   = 1,   // whose terms a step holds, at most
  parameter int GROUP         = 1,   // divides STEP_LANES
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0,
  localparam int ABits     = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits     = mx_width_pkg::element_bits(B_FORMATS),
  localparam int BlockBits = mx_width_pkg::bits_of_index(STEP_BLOCKS)
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
  input  logic [BlockBits-1:0]          term_block_i,  // which of the step's blocks loads
  input  logic                          acc_load_i,
  input  logic                          acc_first_i,
  input  logic                          acc_partial_i,  // the tile ended before the step was full
  input  logic [mx_pkg::FaultBits-1:0]  fault_i,
  output logic [31:0]                   acc_o,  // the accumulator
  output logic [31:0]                   acc_next_o
);
  localparam int GROUPS   = STEP_LANES / GROUP;
  localparam int SCALE    = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS);
  localparam int TERM     = mx_width_pkg::aligned_term_bits(A_FORMATS, B_FORMATS, GROUP);
  localparam int INTEGER  = mx_width_pkg::aligned_integer_bits(A_FORMATS, B_FORMATS, GROUP);
  localparam int EXPONENT = mx_pkg::ExponentWidth;
  localparam logic signed [EXPONENT-1:0] LEAST = {1'b1, {(EXPONENT-1){1'b0}}};

  // --- decode → sum: products or sums of groups, with their exponents
  logic [SCALE-1:0]           scale_significand;
  logic signed [EXPONENT-1:0] scale_exponent;
  logic                       scale_nan;
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
    .exponent_o   (scale_exponent),
    .nan_o        (scale_nan)
  );

  localparam int A_NUMBERS = GROUP * mx_width_pkg::number_bits(A_FORMATS);
  localparam int B_NUMBERS = GROUP * mx_width_pkg::number_bits(B_FORMATS);
  logic [STEP_LANES-1:0]       a_inf, a_negative, a_nonzero, b_inf, b_negative, b_nonzero;
  logic [GROUPS*A_NUMBERS-1:0] a_numbers;
  logic [GROUPS*B_NUMBERS-1:0] b_numbers;
  assign {a_inf, a_negative, a_nonzero, a_numbers} = a_elements_i;
  assign {b_inf, b_negative, b_nonzero, b_numbers} = b_elements_i;

  logic [GROUPS-1:0]          zero, present, negative, inf, inf_negative, nan;
  logic [GROUPS*TERM-1:0]     magnitude;
  logic [GROUPS*EXPONENT-1:0] lowest;
  for (genvar g = 0; g < GROUPS; g++) begin : gen_group
    logic signed [EXPONENT-1:0] exponent, own, greatest;  // the greatest of those up to this one
    mx_aligned_term #(
      .A_FORMATS(A_FORMATS),
      .B_FORMATS(B_FORMATS),
      .GROUP    (GROUP),
      .FAULTS   (FAULTS)
    ) u_term (
      .a_i                ({a_inf[g*GROUP +: GROUP], a_negative[g*GROUP +: GROUP],
                            a_nonzero[g*GROUP +: GROUP], a_numbers[g*A_NUMBERS +: A_NUMBERS]}),
      .b_i                ({b_inf[g*GROUP +: GROUP], b_negative[g*GROUP +: GROUP],
                            b_nonzero[g*GROUP +: GROUP], b_numbers[g*B_NUMBERS +: B_NUMBERS]}),
      .a_format_i,
      .b_format_i,
      .scale_significand_i(scale_significand),
      .scale_exponent_i   (scale_exponent),
      .fault_i,
      .zero_o             (zero[g]),
      .negative_o         (negative[g]),
      .magnitude_o        (magnitude[g*TERM +: TERM]),
      .exponent_o         (exponent),
      .lowest_o           (lowest[g*EXPONENT +: EXPONENT]),
      .inf_o              (inf[g]),
      .inf_negative_o     (inf_negative[g]),
      .nan_o              (nan[g])
    );
    // Lanes behind the blocks of a short format are none, not zeros.
    assign present[g] = 8'(g * GROUP) < mx_pkg::BlockLength[a_format_i*8 +: 8];
    assign own        = zero[g] ? LEAST : exponent;
    if (g == 0) begin : gen_first
      assign greatest = own;
    end else begin : gen_next
      assign greatest = own > gen_group[g-1].greatest ? own : gen_group[g-1].greatest;
    end
  end

  logic [GROUPS-1:0]          sum_negative_q;
  logic [GROUPS*TERM-1:0]     sum_magnitude_q;
  logic [GROUPS*EXPONENT-1:0] sum_lowest_q;
  logic signed [EXPONENT-1:0] sum_greatest_q;
  logic                       sum_zero_q, sum_inf_positive_q, sum_inf_negative_q, sum_nan_q;
  logic [31:0]                sum_start_q;
  always_ff @(posedge clk_i) begin
    if (sum_load_i) begin
      sum_negative_q     <= negative;
      sum_magnitude_q    <= magnitude;
      sum_lowest_q       <= lowest;
      sum_greatest_q     <= gen_group[GROUPS-1].greatest;
      sum_zero_q         <= |(zero & present);
      sum_inf_positive_q <= |(inf & ~inf_negative);
      sum_inf_negative_q <= |(inf & inf_negative);
      sum_nan_q          <= a_nan_i || b_nan_i || scale_nan || |nan;
      if (sum_first_i) sum_start_q <= start_i;
    end
  end

  // --- sum → term: the blocks of a step side by side; its first one clears the others
  logic [STEP_BLOCKS*GROUPS-1:0]          term_negative_q;
  logic [STEP_BLOCKS*GROUPS*TERM-1:0]     term_magnitude_q;
  logic [STEP_BLOCKS*GROUPS*EXPONENT-1:0] term_lowest_q;
  logic signed [EXPONENT-1:0]             term_greatest_q;
  logic                                   term_zero_q, term_nan_q;
  logic                                   term_inf_positive_q, term_inf_negative_q;
  logic [31:0]                            term_start_q;
  logic                                   step_begins;
  assign step_begins = term_block_i == '0;
  always_ff @(posedge clk_i) begin
    if (term_load_i) begin
      term_greatest_q <= !step_begins && term_greatest_q > sum_greatest_q ? term_greatest_q
                                                                          : sum_greatest_q;
      term_zero_q         <= sum_zero_q         || (!step_begins && term_zero_q);
      term_nan_q          <= sum_nan_q          || (!step_begins && term_nan_q);
      term_inf_positive_q <= sum_inf_positive_q || (!step_begins && term_inf_positive_q);
      term_inf_negative_q <= sum_inf_negative_q || (!step_begins && term_inf_negative_q);
      if (term_first_i) term_start_q <= sum_start_q;
    end
  end
  for (genvar i = 0; i < STEP_BLOCKS; i++) begin : gen_block
    logic loads;
    assign loads = term_block_i == BlockBits'(i);
    always_ff @(posedge clk_i) begin
      if (term_load_i && (loads || step_begins)) begin
        term_negative_q[i*GROUPS +: GROUPS] <= sum_negative_q;
        term_magnitude_q[i*GROUPS*TERM +: GROUPS*TERM] <= loads ? sum_magnitude_q : '0;
        term_lowest_q[i*GROUPS*EXPONENT +: GROUPS*EXPONENT] <= sum_lowest_q;
      end
    end
  end

  // --- term → accumulator
  logic [31:0] acc_q, acc_next;
  mx_aligned_accumulate #(
    .TERMS        (STEP_BLOCKS * GROUPS),
    .TERM_BITS    (TERM),
    .INTEGER_BITS (INTEGER),
    .FRACTION_BITS(FRACTION_BITS),
    .E_ZERO       (E_ZERO),
    .ROUNDING     (ROUNDING),
    .FTZ          (FTZ),
    .FAULTS       (FAULTS)
  ) u_accumulate (
    .acc_i         (acc_first_i ? term_start_q : acc_q),
    .negative_i    (term_negative_q),
    .magnitude_i   (term_magnitude_q),
    .lowest_i      (term_lowest_q),
    .greatest_i    (term_greatest_q),
    .zero_i        (term_zero_q || acc_partial_i),
    .inf_positive_i(term_inf_positive_q),
    .inf_negative_i(term_inf_negative_q),
    .nan_i         (term_nan_q),
    .fault_i,
    .acc_o         (acc_next)
  );
  always_ff @(posedge clk_i) begin
    if (acc_load_i) acc_q <= acc_next;
  end

  assign acc_o      = acc_q;
  assign acc_next_o = acc_next;

endmodule
