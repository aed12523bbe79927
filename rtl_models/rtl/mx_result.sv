// What an element of the array holds → its result: of `exact` rounded, of the others as it is; as
// binary32, bfloat16 or binary16. Combinational.
module mx_result #(
  parameter int DATAPATH = mx_pkg::Fused,
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int LANES = 32,
  parameter bit FTZ   = 1'b0,
  parameter bit FAULTS = 1'b0,
  localparam int StateBits = mx_width_pkg::state_bits(DATAPATH, A_FORMATS, B_FORMATS, LANES)
) (
  input  logic [StateBits-1:0]         state_i,
  input  logic [1:0]                   type_i,  // as fp32_to_16
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic [31:0]                  result_o
);

  logic [31:0] value;
  if (DATAPATH == mx_pkg::Exact) begin : gen_exact
    mx_exact_round #(
      .EXACT_BITS(mx_width_pkg::exact_bits(A_FORMATS, B_FORMATS, LANES)),
      .LOWEST    (mx_width_pkg::exact_lowest(A_FORMATS, B_FORMATS)),
      .FTZ       (FTZ),
      .FAULTS    (FAULTS)
    ) u_round (
      .state_i,
      .fault_i,
      .result_o(value)
    );
  end else begin : gen_binary32
    logic unused_fault;
    assign unused_fault = ^fault_i;
    assign value        = state_i;
  end
  fp32_to_16 u_to_16 (
    .value_i (value),
    .type_i,
    .result_o
  );

endmodule
