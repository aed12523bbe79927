// One stage of the array's pipeline: whether its register holds a block, and which of its tile. It
// takes the block before it where it is empty or its own moves on. The data lie elsewhere: they
// load with load_o.
module mx_stage (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic valid_i,  // a block waits before it
  input  logic first_i,
  input  logic last_i,
  output logic ready_o,  // it can take a block
  output logic load_o,   // it takes one at the edge
  output logic valid_o,  // it holds a block
  output logic first_o,
  output logic last_o,
  input  logic ready_i   // that block moves on at the edge
);

  logic valid_q, first_q, last_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (ready_o) valid_q <= valid_i;
    if (load_o) begin
      first_q <= first_i;
      last_q  <= last_i;
    end
  end

  assign ready_o = !valid_q || ready_i;
  assign load_o  = valid_i && ready_o;
  assign valid_o = valid_q;
  assign first_o = first_q;
  assign last_o  = last_q;

endmodule
