// Processing element: one element of a tile, on the datapath that DATAPATH names. Three registers
// between four stages; the array tells each when to load.
module mx_pe #(
  parameter int DATAPATH = mx_pkg::Fused,
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int LANES         = 32,
  parameter bit FTZ           = 1'b0,
  // Of `aligned`.
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter bit FAULTS = 1'b0,
  localparam int ABits     = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits     = mx_width_pkg::element_bits(B_FORMATS),
  localparam int StepLanes = mx_width_pkg::step_lanes(DATAPATH, LANES, TERMS),
  localparam int BlockBits = mx_width_pkg::step_block_bits(A_FORMATS, DATAPATH, LANES, TERMS),
  localparam int StateBits = mx_width_pkg::state_bits(DATAPATH, A_FORMATS, B_FORMATS, LANES)
) (
  input  logic                          clk_i,
  // The decoded lanes of its row (a) and column (b).
  input  logic [StepLanes*ABits-1:0]    a_elements_i,
  input  logic                          a_nan_i,
  input  logic [7:0]                    a_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] a_format_i,
  input  logic [StepLanes*BBits-1:0]    b_elements_i,
  input  logic                          b_nan_i,
  input  logic [7:0]                    b_scale_i,
  input  logic [mx_pkg::FormatBits-1:0] b_format_i,
  input  logic [31:0]                   start_i,  // binary32
  // The register takes the stage before it; `…_first_i`: the step there is its tile's first.
  input  logic                          sum_load_i,
  input  logic                          sum_first_i,
  input  logic                          term_load_i,
  input  logic                          term_first_i,
  input  logic [BlockBits-1:0]          term_block_i,   // which of the step's blocks loads
  input  logic                          acc_load_i,
  input  logic                          acc_first_i,
  input  logic                          acc_partial_i,  // the tile ended before the step was full
  input  logic [mx_pkg::FaultBits-1:0]  fault_i,
  output logic [StateBits-1:0]          acc_o,  // the accumulator: binary32, or as mx_pe_exact says
  output logic [StateBits-1:0]          acc_next_o
);

  if (DATAPATH == mx_pkg::Aligned) begin : gen_aligned
    mx_pe_aligned #(
      .A_FORMATS    (A_FORMATS),
      .B_FORMATS    (B_FORMATS),
      .STEP_LANES   (StepLanes),
      .STEP_BLOCKS  (mx_width_pkg::step_blocks(A_FORMATS, DATAPATH, LANES, TERMS)),
      .GROUP        (GROUP),
      .FRACTION_BITS(FRACTION_BITS),
      .E_ZERO       (E_ZERO),
      .ROUNDING     (ROUNDING),
      .FTZ          (FTZ),
      .FAULTS       (FAULTS)
    ) u_pe (
      .clk_i,
      .a_elements_i,
      .a_nan_i,
      .a_scale_i,
      .a_format_i,
      .b_elements_i,
      .b_nan_i,
      .b_scale_i,
      .b_format_i,
      .start_i,
      .sum_load_i,
      .sum_first_i,
      .term_load_i,
      .term_first_i,
      .term_block_i,
      .acc_load_i,
      .acc_first_i,
      .acc_partial_i,
      .fault_i,
      .acc_o,
      .acc_next_o
    );
  end else begin : gen_whole_steps
    logic unused_of_aligned;
    assign unused_of_aligned = ^{term_block_i, acc_partial_i};
    if (DATAPATH == mx_pkg::Exact) begin : gen_exact
      mx_pe_exact #(
        .A_FORMATS(A_FORMATS),
        .B_FORMATS(B_FORMATS),
        .LANES    (LANES),
        .FAULTS   (FAULTS)
      ) u_pe (
        .clk_i,
        .a_elements_i,
        .a_nan_i,
        .a_scale_i,
        .a_format_i,
        .b_elements_i,
        .b_nan_i,
        .b_scale_i,
        .b_format_i,
        .start_i,
        .sum_load_i,
        .sum_first_i,
        .term_load_i,
        .term_first_i,
        .acc_load_i,
        .acc_first_i,
        .fault_i,
        .acc_o,
        .acc_next_o
      );
    end else begin : gen_block
      mx_pe_block #(
        .DATAPATH  (DATAPATH),
        .A_FORMATS (A_FORMATS),
        .B_FORMATS (B_FORMATS),
        .STEP_LANES(StepLanes),
        .FTZ       (FTZ),
        .FAULTS    (FAULTS)
      ) u_pe (
        .clk_i,
        .a_elements_i,
        .a_nan_i,
        .a_scale_i,
        .a_format_i,
        .b_elements_i,
        .b_nan_i,
        .b_scale_i,
        .b_format_i,
        .start_i,
        .sum_load_i,
        .sum_first_i,
        .term_load_i,
        .term_first_i,
        .acc_load_i,
        .acc_first_i,
        .fault_i,
        .acc_o,
        .acc_next_o
      );
    end
  end

endmodule
