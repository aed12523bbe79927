// The edge of the array: the beat register of one row or column, and its decoders, so that a block
// is decoded once for all elements that use it. It shows STEP_LANES lanes at a time.
module mx_edge #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter int LANES      = 32,
  parameter int STEP_LANES = 32,  // divides LANES
  parameter bit FAULTS = 1'b0,
  localparam int ElementBits = mx_width_pkg::element_bits(FORMATS),
  localparam int LaneBits    = $clog2(LANES + 1),
  localparam int StepBits    = mx_width_pkg::bits_of_index(LANES / STEP_LANES)
) (
  input  logic                              clk_i,
  input  logic                              load_i,
  input  logic [LANES*mx_pkg::CodeBits-1:0] codes_i,
  input  logic [LaneBits-1:0]               lanes_i,   // of the block; further codes are not read
  input  logic [7:0]                        scale_i,
  input  logic [mx_pkg::FormatBits-1:0]     format_i,  // of the loaded block
  input  logic [StepBits-1:0]               step_i,    // which of its lanes to show
  input  logic [mx_pkg::FaultBits-1:0]      fault_i,
  output logic [STEP_LANES*ElementBits-1:0] elements_o,  // as mx_width_pkg::element_bits says
  output logic                              nan_o,     // one of them is NaN
  output logic [7:0]                        scale_o
);
  localparam int STEP_CODES = STEP_LANES * mx_pkg::CodeBits;

  logic [LANES*mx_pkg::CodeBits-1:0] codes, codes_q;
  logic [7:0]                        scale_q;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    assign codes[i*mx_pkg::CodeBits +: mx_pkg::CodeBits] =
        codes_i[i*mx_pkg::CodeBits +: mx_pkg::CodeBits] & {mx_pkg::CodeBits{LaneBits'(i) < lanes_i}};
  end
  always_ff @(posedge clk_i) begin
    if (load_i) begin
      codes_q <= codes;
      scale_q <= scale_i;
    end
  end

  logic [STEP_CODES-1:0] step_codes;
  if (STEP_LANES == LANES) begin : gen_whole
    logic unused_step;
    assign unused_step = ^step_i;
    assign step_codes  = codes_q;
  end else begin : gen_step
    assign step_codes  = codes_q[step_i*STEP_CODES +: STEP_CODES];
  end

  localparam int NUMBER = mx_width_pkg::number_bits(FORMATS);
  logic [STEP_LANES-1:0]        inf, negative, nonzero, nan;
  logic [STEP_LANES*NUMBER-1:0] numbers;
  for (genvar i = 0; i < STEP_LANES; i++) begin : gen_decode
    mx_decode #(
      .FORMATS(FORMATS),
      .FAULTS (FAULTS)
    ) u_decode (
      .format_i,
      .code_i   (step_codes[i*mx_pkg::CodeBits +: mx_pkg::CodeBits]),
      .fault_i,
      .element_o({inf[i], negative[i], nonzero[i], numbers[i*NUMBER +: NUMBER]}),
      .nan_o    (nan[i])
    );
  end
  assign elements_o = {inf, negative, nonzero, numbers};
  assign nan_o      = |nan;
  assign scale_o    = scale_q;

endmodule
