// Processing element of the datapath `exact`: the sum over all of K as a fixed-point number wide
// enough for every scale; mx_exact_round rounds it where it leaves the array. Three registers
// between four stages; the array tells each when to load.
module mx_pe_exact #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int LANES = 32,
  parameter bit FAULTS = 1'b0,
  localparam int ABits     = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits     = mx_width_pkg::element_bits(B_FORMATS),
  localparam int ExactBits = mx_width_pkg::exact_bits(A_FORMATS, B_FORMATS, LANES),
  localparam int StateBits = mx_width_pkg::state_bits(mx_pkg::Exact, A_FORMATS, B_FORMATS, LANES)
) (
  input  logic                          clk_i,
  // The decoded lanes of its row (a) and column (b).
  input  logic [LANES*ABits-1:0]        a_elements_i,
  input  logic                          a_nan_i,
  input  logic [7:0]                    a_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] a_format_i,
  input  logic [LANES*BBits-1:0]        b_elements_i,
  input  logic                          b_nan_i,
  input  logic [7:0]                    b_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] b_format_i,
  input  logic [31:0]                   start_i,  // binary32
  // The register takes the stage before it; `…_first_i`: the block there is its tile's first.
  input  logic                          sum_load_i,
  input  logic                          sum_first_i,
  input  logic                          term_load_i,
  input  logic                          term_first_i,
  input  logic                          acc_load_i,
  input  logic                          acc_first_i,
  input  logic [mx_pkg::FaultBits-1:0]  fault_i,
  // {nan, positive inf, negative inf, nonzero, start, sum}; sum in two's complement
  output logic [StateBits-1:0]          acc_o,
  output logic [StateBits-1:0]          acc_next_o
);
  localparam int SUM       = mx_width_pkg::sum_bits(A_FORMATS, B_FORMATS, LANES);
  localparam int SCALE     = mx_width_pkg::scale_bits(A_FORMATS, B_FORMATS);
  localparam int SCALE_SUM = mx_width_pkg::ue4m3_sum_bits(A_FORMATS, B_FORMATS, LANES);
  localparam int TERM      = mx_width_pkg::term_bits(A_FORMATS, B_FORMATS, LANES) + 1;  // signed
  localparam int LOWEST    = mx_width_pkg::exact_lowest(A_FORMATS, B_FORMATS);
  localparam int EXPONENT  = mx_pkg::ExponentWidth;
  // The term moves by single places, then by words.
  localparam int FINE      = 5;
  localparam int MOVED     = TERM + 2**FINE - 1;

  // --- decode → sum: products, their sum, scales
  logic [SUM-1:0]             sum, sum_q;
  logic [SCALE-1:0]           scale_significand, scale_significand_q;
  logic signed [EXPONENT-1:0] exponent, sum_exponent_q;
  logic                       nonzero, inf, inf_negative, products_nan, scale_nan;
  logic [3:0]                 sum_flags_q;
  logic [31:0]                sum_start_q;
  mx_block_sum #(
    .A_FORMATS(A_FORMATS),
    .B_FORMATS(B_FORMATS),
    .LANES    (LANES),
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
  always_ff @(posedge clk_i) begin
    if (sum_load_i) begin
      sum_q               <= sum;
      scale_significand_q <= scale_significand;
      sum_exponent_q      <= exponent;
      sum_flags_q         <= {a_nan_i || b_nan_i || products_nan || scale_nan,
                              inf && !inf_negative, inf && inf_negative, nonzero};
      if (sum_first_i) sum_start_q <= start_i;
    end
  end

  // --- sum → term: scaled, moved by the fine part of its place; none where the sum is infinite
  logic [TERM-1:0]     scaled;
  logic [EXPONENT-1:0] place;
  logic [MOVED-1:0]    term, term_q;
  logic [EXPONENT-FINE-1:0] words_q;
  logic [3:0]          term_flags_q;
  logic [31:0]         term_start_q;
  if (SCALE == 1) begin : gen_power_of_two
    logic unused_significand;
    assign unused_significand = scale_significand_q[0];
    assign scaled = TERM'($signed(sum_q));
  end else begin : gen_scale
    logic [TERM-1:0] product;
    assign product = TERM'($signed(sum_q[SCALE_SUM-1:0])) * TERM'(scale_significand_q);
    assign scaled  = scale_significand_q == SCALE'(1) ? TERM'($signed(sum_q)) : product;
  end
  assign place = sum_exponent_q - EXPONENT'(LOWEST + 127);
  assign term  = MOVED'($signed(scaled)) << place[FINE-1:0];
  always_ff @(posedge clk_i) begin
    if (term_load_i) begin
      term_q       <= sum_flags_q[3:1] == '0 ? term : '0;
      words_q      <= place[EXPONENT-1:FINE];
      term_flags_q <= sum_flags_q;
      if (term_first_i) term_start_q <= sum_start_q;
    end
  end

  // --- term → sum over K
  logic [3:0]           flags_q, flags;
  logic [31:0]          acc_start_q, start;
  logic [ExactBits-1:0] exact_q, exact;
  assign flags = term_flags_q | (acc_first_i ? 4'b0 : flags_q);
  assign start = acc_first_i ? term_start_q : acc_start_q;
  assign exact = (acc_first_i ? '0 : exact_q)
               + (ExactBits'($signed(term_q)) << {words_q, {FINE{1'b0}}});
  always_ff @(posedge clk_i) begin
    if (acc_load_i) begin
      flags_q     <= flags;
      acc_start_q <= start;
      exact_q     <= exact;
    end
  end

  assign acc_o      = {flags_q, acc_start_q, exact_q};
  assign acc_next_o = {flags, start, exact};

endmodule
