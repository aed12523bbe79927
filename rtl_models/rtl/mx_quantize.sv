// Quantizer: a stream of blocks of binary32 or bfloat16 → element codes and scale codes
// (ARITHMETIC §2, §6), one block a beat, with the scale rule, the rounding and the pre-scale that
// come with the block.
//
// Four stages: the block; its elements with their leading bit on top, and the largest magnitude;
// its scale, and with it its codes; the result, a buffer of two entries. A block that is taken in
// cycle t is out in cycle t + 4 at the earliest. The third stage holds a block for 1 cycle; for 6
// under the rule `mse`, which tries three scales; for 11 where the rounding is stochastic, whatever
// the rule: the random words take ten rounds. Blocks follow one another at these distances. Every
// output is a function of registers alone.
//
// A set without nvfp4 has no division. WITH_MSE = 0 and WITH_STOCHASTIC = 0 leave out the search
// and the random words; a block that asks for them is then converted by `floor`, or toward zero.
// Blocks of nvfp4 do not read rule_i and prescale_i, others not tensor_scale_i; seed_i and index_i
// are for stochastic roundings.
module mx_quantize #(
  // The formats, a bit for each row of mx_pkg's table.
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit WITH_MSE        = 1'b1,
  parameter bit WITH_STOCHASTIC = 1'b1,
  parameter bit FAULTS = 1'b0,
  localparam int Lanes    = mx_width_pkg::block_lanes(FORMATS),
  localparam int LaneBits = mx_width_pkg::lane_count_bits(FORMATS)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  // One beat: a block and how it is converted.
  input  logic                                 in_valid_i,
  output logic                                 in_ready_o,
  input  logic [Lanes*32-1:0]                  in_data_i,   // element i at [i*32 +: 32]
  input  logic [LaneBits-1:0]                  in_lanes_i,  // its elements, 1 … a block's
  input  logic                                 in_type_i,   // 1: bfloat16, in the low half of 32
  input  logic [mx_pkg::FormatBits-1:0]        format_i,
  input  logic [mx_pkg::RuleBits-1:0]          rule_i,
  input  logic [mx_pkg::RoundBits-1:0]         rounding_i,
  input  logic                                 prescale_i,  // 1: p = 3/4
  input  logic [63:0]                          seed_i,
  input  logic [63:0]                          index_i,     // row-major, of the first element
  input  logic [31:0]                          tensor_scale_i,  // g, a positive normal binary32
  // Its codes; those of lanes that it does not have are 0.
  output logic                                 out_valid_o,
  input  logic                                 out_ready_i,
  output logic [Lanes*mx_pkg::CodeBits-1:0]    out_codes_o,
  output logic [7:0]                           out_scale_o,
  output logic [LaneBits-1:0]                  out_lanes_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_pkg::QuantizeFaultBits-1:0] fault_i
);
  localparam bit HAS_MX      = mx_quantize_pkg::has_mx(FORMATS);
  localparam bit HAS_DIVISOR = mx_quantize_pkg::has_tensor_scale(FORMATS);
  localparam bit SEARCHES    = WITH_MSE && HAS_MX;
  localparam int ELEMENT     = mx_quantize_pkg::ElementBits;
  localparam int BITS        = mx_quantize_pkg::DifferenceBits;
  localparam int DIVISOR     = mx_quantize_pkg::DivisorBits;
  // What goes along with a block: {lanes, format, rounding}, and to the third stage {rule,
  // prescale, tensor scale, index, seed}.
  localparam int KEPT     = LaneBits + mx_pkg::FormatBits + mx_pkg::RoundBits;
  localparam int SETTINGS = KEPT + mx_pkg::RuleBits + 1 + 32 + 64 + 64;
  localparam int FIRST    = mx_quantize_pkg::first(FORMATS);  // the format, where there is one

  // --- planted faults
  logic high_half, lane_beyond, inf_is_finite, zero_is_least, not_clamped;
  logic settings_early, result_overwritten;
  assign high_half          = FAULTS && fault_i == mx_pkg::QuantizeFaultBfloat16LowHalf;
  assign lane_beyond        = FAULTS && fault_i == mx_pkg::QuantizeFaultLaneBeyondCounts;
  assign inf_is_finite      = FAULTS && fault_i == mx_pkg::QuantizeFaultInfIsFinite;
  assign zero_is_least      = FAULTS && fault_i == mx_pkg::QuantizeFaultZeroBlockScale;
  assign not_clamped        = FAULTS && fault_i == mx_pkg::QuantizeFaultScaleNotClamped;
  assign settings_early     = FAULTS && fault_i == mx_pkg::QuantizeFaultSettingsEarly;
  assign result_overwritten = FAULTS && fault_i == mx_pkg::QuantizeFaultResultOverwritten;

  // --- handshake: a stage moves on when the next can take its block
  logic in_load, max_valid, max_ready, max_load, code_valid, code_ready, code_load, in_stage_valid;
  logic code_done, result_ready;
  logic [SETTINGS-1:0] in_settings, max_settings_in, max_settings;
  logic [KEPT-1:0]     code_settings;
  mx_stage #(
    .WIDTH(SETTINGS)
  ) u_in (
    .clk_i,
    .rst_ni,
    .valid_i(in_valid_i),
    .flags_i(in_settings),
    .ready_o(in_ready_o),
    .load_o (in_load),
    .valid_o(in_stage_valid),
    .flags_o(max_settings_in),
    .ready_i(max_ready)
  );
  mx_stage #(
    .WIDTH(SETTINGS)
  ) u_max (
    .clk_i,
    .rst_ni,
    .valid_i(in_stage_valid),
    .flags_i(max_settings_in),
    .ready_o(max_ready),
    .load_o (max_load),
    .valid_o(max_valid),
    .flags_o(max_settings),
    .ready_i(code_ready)
  );
  mx_stage #(
    .WIDTH(KEPT)
  ) u_code (
    .clk_i,
    .rst_ni,
    .valid_i(max_valid),
    .flags_i(max_settings[SETTINGS-1 -: KEPT]),
    .ready_o(code_ready),
    .load_o (code_load),
    .valid_o(code_valid),
    .flags_o(code_settings),
    .ready_i(code_done && result_ready)
  );

  // --- the block: as binary32, with zeros in the lanes that it does not have
  // (Whole signals alone: yosys 0.23 takes a wrong width for an expression within braces.)
  logic [mx_pkg::FormatBits-1:0] in_format;
  logic [31:0]                   in_tensor_scale;
  logic [127:0]                  in_random;
  assign in_format       = mx_quantize_pkg::is_one(FORMATS) ? mx_pkg::FormatBits'(FIRST) : format_i;
  assign in_tensor_scale = HAS_DIVISOR ? tensor_scale_i : '0;
  assign in_random       = WITH_STOCHASTIC ? {index_i, seed_i} : '0;
  assign in_settings     = {in_lanes_i, in_format, rounding_i, rule_i, prescale_i, in_tensor_scale,
                            in_random};
  logic [Lanes*32-1:0] data, data_q;
  for (genvar i = 0; i < Lanes; i++) begin : gen_in
    logic [31:0] lane;
    logic        exists;
    assign lane   = in_data_i[i*32 +: 32];
    assign exists = LaneBits'(i) < in_lanes_i || (lane_beyond && LaneBits'(i) == in_lanes_i);
    assign data[i*32 +: 32] = !exists ? '0
                            : in_type_i ? {high_half ? lane[31:16] : lane[15:0], 16'b0} : lane;
  end
  always_ff @(posedge clk_i) if (in_load) data_q <= data;

  // --- its elements and their largest magnitude
  logic [Lanes*ELEMENT-1:0] elements, max_elements_q, elements_q;
  logic [Lanes*31-1:0]      magnitudes;
  logic [30:0]              block_max, max_q;
  for (genvar i = 0; i < Lanes; i++) begin : gen_element
    assign elements[(i+1)*ELEMENT-1]    = data_q[i*32+31];
    assign magnitudes[i*31 +: 31]       = data_q[i*32 +: 31];
    fp32_unpack u_unpack (
      .magnitude_i(data_q[i*32 +: 31]),
      .parts_o    (elements[i*ELEMENT +: ELEMENT-1])
    );
  end
  fp32_block_max #(
    .LANES(Lanes)
  ) u_block_max (
    .magnitudes_i(magnitudes),
    .max_o       (block_max)
  );
  always_ff @(posedge clk_i) begin
    if (max_load) begin
      max_elements_q <= elements;
      max_q          <= block_max;
    end
  end

  // --- its scale
  logic [LaneBits-1:0]                   max_lanes, lanes;
  logic [mx_pkg::FormatBits-1:0]         max_format, format;
  logic [mx_pkg::RoundBits-1:0]          max_rounding, rounding;
  logic [mx_pkg::RuleBits-1:0]           rule;
  logic                                  prescale;
  logic [31:0]                           tensor_scale;
  logic [63:0]                           index, seed;
  logic                                  nan, zero, searches, stochastic;
  logic [mx_quantize_pkg::PartsBits-1:0] max_parts, unpacked;
  assign {max_lanes, max_format, max_rounding, rule, prescale, tensor_scale, index, seed} =
      max_settings;
  assign {lanes, format, rounding} = code_settings;
  assign nan  = &max_q[30:23] && !(inf_is_finite && max_q[22:0] == '0);
  assign zero = max_q == '0;
  fp32_unpack u_unpack_max (
    .magnitude_i(max_q),
    .parts_o    (unpacked)
  );
  mx_max_fault #(
    .FAULTS(FAULTS)
  ) u_max_fault (
    .magnitude_i(max_q),
    .prescale_i (prescale),
    .parts_i    (unpacked),
    .fault_i,
    .parts_o    (max_parts)
  );

  logic [mx_quantize_pkg::DivisorBits-1:0] divisor;
  logic signed [BITS-1:0] rule_exponent, divisor_exponent;
  logic [7:0]             ue4m3_code;
  logic                   divides;
  if (HAS_MX) begin : gen_rule
    mx_scale_rule #(
      .FORMATS(FORMATS),
      .FAULTS (FAULTS)
    ) u_rule (
      .format_i  (max_format),
      .rule_i    (rule),
      .max_i     (max_parts),
      .fault_i,
      .exponent_o(rule_exponent)
    );
    assign divides = HAS_DIVISOR && mx_pkg::TensorScaled[max_format];
  end else begin : gen_no_rule
    logic unused_format;
    assign unused_format = ^max_format;
    assign rule_exponent = '0;
    assign divides       = 1'b1;
  end
  if (HAS_DIVISOR) begin : gen_ue4m3
    ue4m3_block_scale #(
      .FAULTS(FAULTS)
    ) u_scale (
      .max_i         (max_parts),
      .tensor_scale_i(tensor_scale),
      .fault_i,
      .code_o        (ue4m3_code),
      .divisor_o     (divisor),
      .exponent_o    (divisor_exponent)
    );
  end else begin : gen_no_ue4m3
    logic unused_tensor_scale;
    assign unused_tensor_scale = ^tensor_scale;
    assign ue4m3_code       = '0;
    assign divisor          = '0;
    assign divisor_exponent = '0;
  end
  assign searches   = SEARCHES && rule == mx_pkg::RuleMse && !divides;
  assign stochastic = WITH_STOCHASTIC && max_rounding == mx_pkg::RoundStochastic;

  logic signed [BITS-1:0] exponent_q;  // of the scale by the rule, or of the divisor
  logic [DIVISOR-1:0]     divisor_q;
  logic [7:0]             ue4m3_code_q;
  logic                   nan_q, zero_q, divides_q, searches_q, stochastic_q, prescale_q;
  always_ff @(posedge clk_i) begin
    if (code_load) begin
      elements_q   <= max_elements_q;
      exponent_q   <= divides ? divisor_exponent : rule_exponent;
      divisor_q    <= divisor;
      ue4m3_code_q <= ue4m3_code;
      nan_q        <= nan;
      zero_q       <= zero;
      divides_q    <= divides;
      searches_q   <= searches;
      stochastic_q <= stochastic;
      prescale_q   <= prescale;
    end
  end

  // --- the cycles of a block in the third stage
  localparam logic [3:0] SEARCH_CYCLES = 4'd5, ROUNDS = 4'd10;  // and one more
  localparam int DIVISIONS = mx_quantize_pkg::division_cycles(FORMATS);
  logic [3:0] cycle, last_cycle;
  logic       tries;
  if (SEARCHES || WITH_STOCHASTIC) begin : gen_cycles
    logic [3:0] cycle_q;
    always_ff @(posedge clk_i) begin
      if (code_load) cycle_q <= '0;
      else if (!code_done) cycle_q <= cycle_q + 1'b1;
    end
    assign cycle = cycle_q;
  end else begin : gen_one_cycle
    assign cycle = '0;
  end
  assign last_cycle = stochastic_q ? ROUNDS : searches_q ? SEARCH_CYCLES : '0;
  assign code_done  = cycle == last_cycle;
  assign tries      = searches_q && cycle < 4'd3;

  // --- the search: which scale, and a rounding without random words while it tries
  localparam int GAIN  = mx_quantize_pkg::gain_bits(FORMATS);
  localparam int SHIFT = mx_width_pkg::shift_bits(FORMATS);
  logic [Lanes*GAIN-1:0]        gains;
  logic [Lanes*SHIFT-1:0]       binades;
  logic signed [BITS-1:0]       searched, chosen, clamped, scale;
  logic [mx_pkg::RoundBits-1:0] lane_rounding;
  logic                         tie;
  if (SEARCHES) begin : gen_mse
    mx_mse_rule #(
      .FORMATS(FORMATS),
      .LANES  (Lanes),
      .FAULTS (FAULTS)
    ) u_mse (
      .clk_i,
      .searches_i(searches_q),
      .cycle_i   (cycle),
      .exponent_i(exponent_q),
      .exponent_o(searched),
      .gains_i   (gains),
      .binades_i (binades),
      .fault_i,
      .tie_o     (tie)
    );
    assign chosen = searches_q ? searched : exponent_q;
  end else begin : gen_no_mse
    assign searched = '0;
    assign chosen   = exponent_q;
    assign tie      = 1'b0;
  end
  logic unused_search;
  assign unused_search = ^{gains, binades, searched, tie};
  assign lane_rounding = settings_early && max_valid ? max_rounding
                       : tries && stochastic_q ? mx_pkg::RoundRne : rounding;
  mx_scale_clamp u_clamp (
    .exponent_i(chosen),
    .exponent_o(clamped)
  );
  assign scale = not_clamped ? chosen : clamped;

  // --- its codes
  logic signed [BITS-1:0] base;
  logic signed [7:0]      emin;
  logic [Lanes*32-1:0]    random;
  logic [Lanes*mx_pkg::CodeBits-1:0] codes;
  assign emin = mx_pkg::Emin[format*8 +: 8];
  assign base = (divides_q ? exponent_q : scale) + BITS'(emin) - BITS'(mx_quantize_pkg::Lowest);
  if (WITH_STOCHASTIC) begin : gen_random
    mx_random_words #(
      .LANES (Lanes),
      .FAULTS(FAULTS)
    ) u_words (
      .clk_i,
      .load_i  (code_load && stochastic),
      .round_i (stochastic_q && !code_done),
      .index_i (index),
      .seed_i  (seed),
      .fault_i,
      .words_o (random)
    );
  end else begin : gen_no_random
    logic unused_index;
    assign unused_index = ^{index, seed};
    assign random       = '0;
  end
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    mx_quantize_lane #(
      .FORMATS        (FORMATS),
      .WITH_MSE       (SEARCHES),
      .WITH_STOCHASTIC(WITH_STOCHASTIC),
      .DIVIDES        (i < mx_quantize_pkg::divided_lanes(FORMATS)),
      .FAULTS         (FAULTS)
    ) u_lane (
      .clk_i,
      .format_i  (format),
      .rounding_i(lane_rounding),
      .prescale_i(prescale_q),
      .element_i (elements_q[i*ELEMENT +: ELEMENT]),
      .base_i    (base),
      .divides_i (divides_q),
      .divisor_i (divisor_q),
      .first_i   (cycle == '0),
      .goes_on_i (stochastic_q && cycle < 4'(DIVISIONS)),
      .random_i  (random[i*32 +: 32]),
      .fault_i,
      .code_o    (codes[i*mx_pkg::CodeBits +: mx_pkg::CodeBits]),
      .gain_o    (gains[i*GAIN +: GAIN]),
      .binade_o  (binades[i*SHIFT +: SHIFT])
    );
  end

  logic [7:0]                        scale_code;
  logic [Lanes*mx_pkg::CodeBits-1:0] result;
  assign scale_code = nan_q ? mx_pkg::NanScale[format*8 +: 8]
                    : zero_q && !(zero_is_least && divides_q) ? '0
                    : divides_q ? ue4m3_code_q : 8'(scale + BITS'(127));
  assign result = codes & {(Lanes*mx_pkg::CodeBits){!nan_q}};
  mx_skid #(
    .WIDTH(Lanes*mx_pkg::CodeBits + 8 + LaneBits)
  ) u_result (
    .clk_i,
    .rst_ni,
    .valid_i     (code_valid && code_done),
    .data_i      ({result, scale_code, lanes}),
    .ready_o     (result_ready),
    .valid_o     (out_valid_o),
    .data_o      ({out_codes_o, out_scale_o, out_lanes_o}),
    .ready_i     (out_ready_i),
    .overwrites_i(result_overwritten)
  );
  // The first stage's lanes go along with the rest of its settings.
  logic unused_lanes;
  assign unused_lanes = ^max_lanes;

  if (FORMATS == '0) begin : g_formats
    initial $fatal(1, "FORMATS has no format");
  end

endmodule
