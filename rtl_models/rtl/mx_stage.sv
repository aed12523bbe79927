// One stage of the array's pipeline: whether its register holds a step, and what is known of it. It
// takes the step before it where it is empty or its own moves on. The data lie elsewhere: they
// load with load_o.
module mx_stage #(
  parameter int WIDTH = 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,  // a step waits before it
  input  logic [WIDTH-1:0] flags_i,
  output logic             ready_o,  // it can take a step
  output logic             load_o,   // it takes one at the edge
  output logic             valid_o,  // it holds a step
  output logic [WIDTH-1:0] flags_o,
  input  logic             ready_i   // that step moves on at the edge
);

  logic             valid_q;
  logic [WIDTH-1:0] flags_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (ready_o) valid_q <= valid_i;
    if (load_o) flags_q <= flags_i;
  end

  assign ready_o = !valid_q || ready_i;
  assign load_o  = valid_i && ready_o;
  assign valid_o = valid_q;
  assign flags_o = flags_q;

endmodule
