// Number of zeros above the highest one of a word; WIDTH where there is none. Combinational.
module leading_zeros #(
  parameter int WIDTH = 32,
  localparam int CountBits = $clog2(WIDTH + 1)
) (
  input  logic [WIDTH-1:0]     word_i,
  output logic [CountBits-1:0] count_o
);
  // The word on top of one of 2^n places, a one behind it that ends the count at WIDTH; then
  // halvings: where the upper half is zero, go on in the lower half. The lowest place decides
  // nothing and is left out.
  for (genvar n = CountBits; n > 0; n--) begin : gen_half
    localparam int HALF = 2**(n-1);
    logic [2*HALF-1:1] word;
    logic              zero;
    if (n < CountBits) begin : gen_next
      assign word = gen_half[n+1].zero ? gen_half[n+1].word[2*HALF-1:1]
                                       : gen_half[n+1].word[4*HALF-1:2*HALF+1];
    end else if (2*HALF - 1 == WIDTH) begin : gen_full
      assign word = word_i;
    end else begin : gen_padded
      assign word = {word_i, 1'b1, {(2*HALF-2-WIDTH){1'b0}}};
    end
    assign zero         = word[2*HALF-1:HALF] == '0;
    assign count_o[n-1] = zero;
  end

endmodule
