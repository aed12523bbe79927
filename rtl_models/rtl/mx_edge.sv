// The edge of the array: the beat register of one row or column, and its decoders, so that a block
// is decoded once for all elements that use it.
module mx_edge #(
  parameter bit FAULTS = 1'b0
) (
  input  logic                                             clk_i,
  input  logic                                             load_i,
  input  logic [mx_pkg::FormatBits-1:0]                    format_i,  // of the loaded block
  input  logic [mx_pkg::Block*mx_pkg::CodeBits-1:0]        codes_i,
  input  logic [7:0]                                       scale_i,
  input  logic [mx_pkg::FaultBits-1:0]                     fault_i,
  output logic [mx_pkg::Block-1:0]                         negative_o,
  output logic [mx_pkg::Block*mx_pkg::SignificandBits-1:0] significand_o,
  output logic [mx_pkg::Block*mx_pkg::ShiftBits-1:0]       shift_o,
  output logic [mx_pkg::Block-1:0]                         nonzero_o,  // a lane's value is not zero
  output logic                                             nan_o,      // a lane is NaN
  output logic [7:0]                                       scale_o
);

  logic [mx_pkg::Block*mx_pkg::CodeBits-1:0] codes_q;
  logic [7:0]                                scale_q;
  always_ff @(posedge clk_i) begin
    if (load_i) begin
      codes_q <= codes_i;
      scale_q <= scale_i;
    end
  end

  logic [mx_pkg::Block-1:0] nan;
  for (genvar i = 0; i < mx_pkg::Block; i++) begin : gen_lane
    logic [mx_pkg::SignificandBits-1:0] significand;
    mx_decode #(
      .FAULTS(FAULTS)
    ) u_decode (
      .format_i,
      .code_i       (codes_q[i*mx_pkg::CodeBits +: mx_pkg::CodeBits]),
      .fault_i,
      .negative_o   (negative_o[i]),
      .significand_o(significand),
      .shift_o      (shift_o[i*mx_pkg::ShiftBits +: mx_pkg::ShiftBits]),
      .nan_o        (nan[i])
    );
    assign significand_o[i*mx_pkg::SignificandBits +: mx_pkg::SignificandBits] = significand;
    assign nonzero_o[i] = significand != '0;
  end
  assign nan_o   = |nan;
  assign scale_o = scale_q;

endmodule
