// Number of zeros above the highest one of a word; WIDTH where there is none. Combinational.
module leading_zeros #(
  parameter int WIDTH = 32  // 1 to 61
) (
  input  logic [WIDTH-1:0] word_i,
  output logic [5:0]       count_o
);
  // The word on top of a longer one, a one behind it that ends the count at WIDTH; then halvings:
  // where the upper half is zero, go on in the lower half. The last place decides nothing.
  logic [63:1] w64;
  logic [31:1] w32;
  logic [15:1] w16;
  logic [7:1]  w8;
  logic [3:1]  w4;
  logic        z32, z16, z8, z4, z2, z1;
  assign w64 = {word_i, 1'b1, {(62-WIDTH){1'b0}}};

  assign z32 = w64[63:32] == '0;
  assign w32 = z32 ? w64[31:1] : w64[63:33];
  assign z16 = w32[31:16] == '0;
  assign w16 = z16 ? w32[15:1] : w32[31:17];
  assign z8  = w16[15:8] == '0;
  assign w8  = z8 ? w16[7:1] : w16[15:9];
  assign z4  = w8[7:4] == '0;
  assign w4  = z4 ? w8[3:1] : w8[7:5];
  assign z2  = w4[3:2] == '0;
  assign z1  = z2 ? !w4[1] : !w4[3];

  assign count_o = {z32, z16, z8, z4, z2, z1};

endmodule
