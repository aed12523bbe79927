// The largest magnitude of some lanes: magnitudes order as their bits do, Inf and NaN above all.
// Combinational.
module fp32_block_max #(
  parameter int LANES = 32
) (
  input  logic [LANES*31-1:0] magnitudes_i,
  output logic [30:0]         max_o
);
  // A tree: node i is the larger of 2i+1 and 2i+2, the last LANES nodes are the lanes.
  for (genvar i = 2*LANES - 2; i >= 0; i--) begin : gen_node
    logic [30:0] largest;
    if (i >= LANES - 1) begin : gen_leaf
      assign largest = magnitudes_i[(i-LANES+1)*31 +: 31];
    end else begin : gen_larger
      assign largest = gen_node[2*i+1].largest > gen_node[2*i+2].largest
                     ? gen_node[2*i+1].largest : gen_node[2*i+2].largest;
    end
  end
  assign max_o = gen_node[0].largest;

endmodule
