// A buffer of two entries at the end of a stream: whether it takes one more follows from its
// registers alone, and at full speed it takes and gives one a cycle. Reset empties it.
module mx_skid #(
  parameter int WIDTH = 8
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  input  logic [WIDTH-1:0] data_i,
  output logic             ready_o,
  output logic             valid_o,
  output logic [WIDTH-1:0] data_o,
  input  logic             ready_i,
  input  logic             overwrites_i  // planted fault: it takes a third entry for the second
);
  logic             first_valid_q, second_valid_q, load, shift;
  logic [WIDTH-1:0] first_q, second_q;
  assign ready_o = !second_valid_q || overwrites_i;
  assign load    = valid_i && ready_o;
  assign shift   = !first_valid_q || ready_i;  // the first entry leaves, or there is none
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_valid_q  <= 1'b0;
      second_valid_q <= 1'b0;
    end else if (shift) begin
      first_valid_q  <= second_valid_q || load;
      second_valid_q <= 1'b0;  // a full buffer takes none
    end else begin
      second_valid_q <= second_valid_q || load;
    end
    if (shift) first_q <= second_valid_q ? second_q : data_i;
    if (load) second_q <= data_i;
  end
  assign valid_o = first_valid_q;
  assign data_o  = first_q;

endmodule
