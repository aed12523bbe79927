// Dequantizer: a stream of blocks of element codes and their scale code → binary32, one block a
// beat: RNE32(code · 2^s / p), of nvfp4 RNE32(code · scale · g), in one rounding (ARITHMETIC §2,
// §6). NaN is 0x7FC00000, an Inf of e5m2 stays Inf.
//
// Three stages: the block; its exact values; their binary32, in a buffer of two entries. A block
// that is taken in cycle t is out in cycle t + 3 at the earliest, one a cycle. Every output is a
// function of registers alone.
module mx_dequantize #(
  // The formats, a bit for each row of mx_pkg's table.
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int Lanes    = mx_width_pkg::block_lanes(FORMATS),
  localparam int LaneBits = mx_width_pkg::lane_count_bits(FORMATS)
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  // One beat: a block and what belongs to it.
  input  logic                                 in_valid_i,
  output logic                                 in_ready_o,
  input  logic [Lanes*mx_pkg::CodeBits-1:0]    in_codes_i,  // bits above the format's are ignored
  input  logic [LaneBits-1:0]                  in_lanes_i,  // its elements, 1 … a block's
  input  logic [7:0]                           in_scale_i,
  input  logic [mx_pkg::FormatBits-1:0]        format_i,
  input  logic                                 prescale_i,  // 1: p = 3/4; nvfp4 does not read it
  input  logic [31:0]                          tensor_scale_i,  // g, a positive normal binary32
  // Its values, +0 in lanes that it does not have.
  output logic                                 out_valid_o,
  input  logic                                 out_ready_i,
  output logic [Lanes*32-1:0]                  out_data_o,
  output logic [LaneBits-1:0]                  out_lanes_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_pkg::QuantizeFaultBits-1:0] fault_i
);
  localparam bit HAS_MX     = mx_quantize_pkg::has_mx(FORMATS);
  localparam bit HAS_FACTOR = mx_quantize_pkg::has_tensor_scale(FORMATS);
  localparam int FIRST      = mx_quantize_pkg::first(FORMATS);  // the format, where there is one
  localparam int CODES      = Lanes * mx_pkg::CodeBits;
  localparam int WIDTH      = mx_pkg::ExponentWidth;
  localparam int FACTOR     = mx_quantize_pkg::DivisorBits;
  localparam int WORD       = mx_quantize_pkg::value_bits(FORMATS);
  localparam int SETTINGS   = LaneBits + 8 + mx_pkg::FormatBits + 1 + 32;

  logic nan_is_number, scale_normal;  // planted faults
  assign nan_is_number = FAULTS && fault_i == mx_pkg::QuantizeFaultNanScaleIsNumber;
  assign scale_normal  = FAULTS && fault_i == mx_pkg::QuantizeFaultScaleSubnormal;

  // --- handshake: a stage moves on when the next can take its block
  logic                in_load, in_stage_valid, value_ready, value_load, value_valid, result_ready;
  logic [LaneBits-1:0] lanes, value_lanes;
  logic [7:0]          scale;
  logic                prescale;
  logic [31:0]         in_tensor_scale, tensor_scale;
  logic [mx_pkg::FormatBits-1:0] in_format, format;
  assign in_format       = mx_quantize_pkg::is_one(FORMATS) ? mx_pkg::FormatBits'(FIRST) : format_i;
  assign in_tensor_scale = HAS_FACTOR ? tensor_scale_i : '0;
  mx_stage #(
    .WIDTH(SETTINGS)
  ) u_in (
    .clk_i,
    .rst_ni,
    .valid_i(in_valid_i),
    .flags_i({in_lanes_i, in_scale_i, in_format, prescale_i, in_tensor_scale}),
    .ready_o(in_ready_o),
    .load_o (in_load),
    .valid_o(in_stage_valid),
    .flags_o({lanes, scale, format, prescale, tensor_scale}),
    .ready_i(value_ready)
  );
  mx_stage #(
    .WIDTH(LaneBits)
  ) u_value (
    .clk_i,
    .rst_ni,
    .valid_i(in_stage_valid),
    .flags_i(lanes),
    .ready_o(value_ready),
    .load_o (value_load),
    .valid_o(value_valid),
    .flags_o(value_lanes),
    .ready_i(result_ready)
  );

  // --- the block, with the code 0 in the lanes that it does not have
  logic [CODES-1:0] codes, codes_q;
  for (genvar i = 0; i < Lanes; i++) begin : gen_in
    assign codes[i*mx_pkg::CodeBits +: mx_pkg::CodeBits] =
        in_codes_i[i*mx_pkg::CodeBits +: mx_pkg::CodeBits]
        & {mx_pkg::CodeBits{LaneBits'(i) < in_lanes_i}};
  end
  always_ff @(posedge clk_i) if (in_load) codes_q <= codes;

  // --- its scale: NaN, the significand of scale · g, the exponent of the lanes' words
  logic signed [7:0]       unit_log2;
  logic signed [WIDTH-1:0] unit, mx_exponent, factor_exponent;
  logic                    multiplies, nan, factor_nan;
  logic [FACTOR-1:0]       factor;
  assign unit_log2   = mx_pkg::UnitLog2[format*8 +: 8];
  assign unit        = WIDTH'(unit_log2);
  // e8m0's bias off, binary32's on; the fraction of thirds.
  assign mx_exponent = unit + WIDTH'(scale) - WIDTH'(mx_quantize_pkg::ThirdBits);
  if (HAS_FACTOR) begin : gen_factor
    localparam int NUMBER = mx_quantize_pkg::ScaleSignificandBits;
    // The unit of ue4m3 and that of g's significand; one binary32 bias off, one on.
    localparam int UNIT   = mx_width_pkg::least_signed(mx_pkg::Ue4m3Numbers, mx_pkg::UnitLog2) - 23;
    logic              normal;
    logic [NUMBER-1:0] number;
    assign normal = scale[6:3] != '0;
    assign number = {normal || scale_normal, scale[2:0]};
    assign factor = FACTOR'(number) * FACTOR'({1'b1, tensor_scale[22:0]});
    assign factor_exponent = unit + WIDTH'(UNIT) + (normal ? WIDTH'(scale[6:3]) - WIDTH'(1) : '0)
                           + WIDTH'(tensor_scale[30:23]);
    assign factor_nan      = &scale[6:0];
    logic unused_sign;
    assign unused_sign = tensor_scale[31];
  end else begin : gen_no_factor
    logic unused_factor;
    assign unused_factor   = ^{tensor_scale, scale_normal};
    assign factor          = '0;
    assign factor_exponent = '0;
    assign factor_nan      = 1'b0;
  end
  assign multiplies = HAS_FACTOR && (!HAS_MX || mx_pkg::TensorScaled[format]);
  assign nan        = multiplies ? factor_nan : &scale && !nan_is_number;

  // --- its values
  logic nan_q;
  always_ff @(posedge clk_i) if (value_load) nan_q <= nan;
  logic [Lanes*32-1:0] values;
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [WORD-1:0]         significand, significand_q;
    logic signed [WIDTH-1:0] exponent, exponent_q;
    logic                    sticky, negative, element_inf, element_nan;
    logic                    sticky_q, negative_q, inf_q, element_nan_q;
    logic [30:0]             magnitude;
    logic [31:0]             value;
    mx_dequantize_lane #(
      .FORMATS   (FORMATS),
      .MULTIPLIES(i < mx_quantize_pkg::divided_lanes(FORMATS)),
      .FAULTS    (FAULTS)
    ) u_lane (
      .format_i     (format),
      .code_i       (codes_q[i*mx_pkg::CodeBits +: mx_pkg::CodeBits]),
      .prescale_i   (prescale),
      .multiplies_i (multiplies),
      .factor_i     (factor),
      .exponent_i   (multiplies ? factor_exponent : mx_exponent),
      .fault_i,
      .significand_o(significand),
      .sticky_o     (sticky),
      .exponent_o   (exponent),
      .negative_o   (negative),
      .inf_o        (element_inf),
      .nan_o        (element_nan)
    );
    always_ff @(posedge clk_i) begin
      if (value_load) begin
        significand_q <= significand;
        exponent_q    <= exponent;
        sticky_q      <= sticky;
        negative_q    <= negative;
        inf_q         <= element_inf;
        element_nan_q <= element_nan;
      end
    end
    fp32_from_term #(
      .TERM_BITS(WORD)
    ) u_round (
      .significand_i(significand_q),
      .sticky_i     (sticky_q),
      .exponent_i   (exponent_q),
      .fault_i      ({mx_pkg::FaultBits{1'b0}}),
      .magnitude_o  (magnitude)
    );
    assign value = nan_q || element_nan_q ? 32'h7fc0_0000
                 : {negative_q, inf_q ? 31'h7f80_0000 : magnitude};
    assign values[i*32 +: 32] = LaneBits'(i) < value_lanes ? value : '0;
  end
  mx_skid #(
    .WIDTH(Lanes*32 + LaneBits)
  ) u_result (
    .clk_i,
    .rst_ni,
    .valid_i     (value_valid),
    .data_i      ({values, value_lanes}),
    .ready_o     (result_ready),
    .valid_o     (out_valid_o),
    .data_o      ({out_data_o, out_lanes_o}),
    .ready_i     (out_ready_i),
    .overwrites_i(1'b0)
  );

  if (FORMATS == '0) begin : g_formats
    initial $fatal(1, "FORMATS has no format");
  end

endmodule
