// The registers, the errors and the interrupt. It decides about every write and read of the host,
// also of the tile memory: where an address means nothing or may not be written, the answer says so
// and so does the status.
module mx_registers #(
  parameter int ROWS = 2,
  parameter int COLS = 2,
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int DATAPATH      = mx_pkg::Fused,
  parameter bit FTZ           = 1'b0,
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter int LANES         = 32,
  parameter int DEPTH         = 4
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  // The host's write: for one cycle; the answer, and whether it goes to the tile memory.
  input  logic                                     write_i,
  input  logic                                     write_is_mapped_i,
  input  logic [mx_registers_pkg::RegionBits-1:0]  write_region_i,
  input  logic                                     write_buffer_i,
  input  logic [mx_registers_pkg::RegisterBits-1:0] write_addr_i,  // of a register
  input  logic [31:0]                              write_data_i,
  input  logic                                     write_whole_i,
  output logic [1:0]                               write_resp_o,
  output logic                                     write_memory_o,
  // The host's read: for one cycle; a register's value in the next.
  input  logic                                     read_i,
  input  logic                                     read_is_mapped_i,
  input  logic [mx_registers_pkg::RegisterBits-1:0] read_addr_i,
  output logic [1:0]                               read_resp_o,
  output logic [31:0]                              read_data_o,
  // The next job.
  output logic       start_o,
  output logic       abort_o,
  output logic       first_o,
  output logic       last_o,
  output logic       preload_o,
  output logic       buffer_o,
  output logic       result_buffer_o,
  output logic       stream_o,
  output logic [3:0] format_a_o,
  output logic [3:0] format_b_o,
  output logic [1:0] out_type_o,
  output logic [7:0] blocks_o,
  output logic [7:0] last_elements_o,
  // What happens.
  input  logic [mx_registers_pkg::ErrorBits-1:0] start_error_i,  // of start_o
  input  logic [mx_registers_pkg::ErrorBits-1:0] stream_error_i,
  input  logic       busy_i,
  input  logic       open_i,
  input  logic       done_i,
  input  logic       in_use_i,
  input  logic       in_use_buffer_i,
  input  logic       stalled_i,
  input  logic       beat_i,
  input  logic       row_i,
  input  logic       packet_i,
  output logic       irq_o,
  input  logic [mx_registers_pkg::FaultBits-1:0] fault_i
);
  localparam logic [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;
  // Registers as they read: fields and zeros.
  localparam logic [31:0] SETS       = {16'(B_FORMATS), 16'(A_FORMATS)};
  localparam logic [31:0] SHAPE      = {8'(DEPTH), 8'(LANES), 8'(COLS), 8'(ROWS)};
  // What belongs to `aligned` alone reads as zeros elsewhere.
  localparam bit          IS_ALIGNED = DATAPATH == mx_pkg::Aligned;
  localparam logic [31:0] ALIGNMENT  = IS_ALIGNED ? {16'(E_ZERO), 8'b0, 8'(FRACTION_BITS)} : '0;
  localparam logic [31:0] ALIGNED    = IS_ALIGNED
                                     ? {16'(TERMS), 8'(GROUP), 2'b0, 2'(ROUNDING), 4'b0} : '0;
  localparam logic [31:0] BUILT      = ALIGNED | {28'b0, FTZ, 3'(DATAPATH)};

  logic [1:0]  interrupt_q;
  logic [5:0]  job_q;
  logic [9:0]  formats_q;
  logic [15:0] length_q;
  logic        done_q, error_q;
  logic [mx_registers_pkg::ErrorBits-1:0] error_code_q;
  logic [31:0] busy_cycles_q, stalled_cycles_q, beats_q, rows_out_q, packets_q;

  // --- the host's writes
  logic is_register, is_register_write, to_control, to_status, buffer_is_in_use;
  logic [mx_registers_pkg::ErrorBits-1:0] write_error, read_error;
  assign is_register      = write_region_i == mx_registers_pkg::RegionRegisters;
  assign buffer_is_in_use = in_use_i && write_buffer_i == in_use_buffer_i &&
                            fault_i != mx_registers_pkg::FaultInUseIgnored;
  always_comb begin
    write_error  = mx_registers_pkg::ErrorNone;
    write_resp_o = SLVERR;
    if (!write_is_mapped_i) begin
      write_error  = mx_registers_pkg::ErrorUnmapped;
      write_resp_o = DECERR;
    end else if (!write_whole_i) begin
      write_error = mx_registers_pkg::ErrorPartialWrite;
    end else if (is_register ? !mx_registers_pkg::RegisterWritable[write_addr_i[6:2]]
                             : write_region_i == mx_registers_pkg::RegionD) begin
      write_error = mx_registers_pkg::ErrorReadOnly;
      if (fault_i == mx_registers_pkg::FaultReadOnlyAnswersOkay) write_resp_o = OKAY;
    end else if (!is_register && buffer_is_in_use) begin
      write_error = mx_registers_pkg::ErrorBufferInUse;
    end else begin
      write_resp_o = OKAY;
    end
  end
  assign is_register_write = write_i && is_register && write_error == mx_registers_pkg::ErrorNone;
  assign write_memory_o    = write_i && !is_register && write_error == mx_registers_pkg::ErrorNone;
  assign to_control = is_register_write && write_addr_i == mx_registers_pkg::AddrControl;
  assign to_status  = is_register_write && write_addr_i == mx_registers_pkg::AddrStatus;
  assign abort_o    = to_control && write_data_i[mx_registers_pkg::ControlAbort];
  assign start_o    = to_control && write_data_i[mx_registers_pkg::ControlStart] && !abort_o;

  // --- the host's reads
  assign read_error  = read_is_mapped_i ? mx_registers_pkg::ErrorNone
                                        : mx_registers_pkg::ErrorUnmapped;
  assign read_resp_o = read_is_mapped_i ? OKAY : DECERR;
  always_ff @(posedge clk_i) begin
    if (read_i) begin
      case (read_addr_i)
        mx_registers_pkg::AddrIdentity:      read_data_o <= mx_registers_pkg::IdentityWord;
        mx_registers_pkg::AddrVersion:       read_data_o <= mx_registers_pkg::VersionWord;
        mx_registers_pkg::AddrSets:          read_data_o <= SETS;
        mx_registers_pkg::AddrDatapath:      read_data_o <= BUILT;
        mx_registers_pkg::AddrAlignment:     read_data_o <= ALIGNMENT;
        mx_registers_pkg::AddrShape:         read_data_o <= SHAPE;
        mx_registers_pkg::AddrStatus:
          read_data_o <= {16'b0, 8'(error_code_q), 4'b0, error_q, done_q, open_i, busy_i};
        mx_registers_pkg::AddrInterrupt:     read_data_o <= {30'b0, interrupt_q};
        mx_registers_pkg::AddrJob:           read_data_o <= {26'b0, job_q};
        mx_registers_pkg::AddrFormats:       read_data_o <= {22'b0, formats_q};
        mx_registers_pkg::AddrLength:        read_data_o <= {16'b0, length_q};
        mx_registers_pkg::AddrBusyCycles:    read_data_o <= busy_cycles_q;
        mx_registers_pkg::AddrStalledCycles: read_data_o <= stalled_cycles_q;
        mx_registers_pkg::AddrBeats:         read_data_o <= beats_q;
        mx_registers_pkg::AddrRowsOut:       read_data_o <= rows_out_q;
        mx_registers_pkg::AddrPackets:       read_data_o <= packets_q;
        default:                             read_data_o <= '0;
      endcase
    end
  end

  // --- the registers themselves
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      interrupt_q <= '0;
      job_q       <= '0;
      formats_q   <= '0;
      length_q    <= '0;
    end else if (is_register_write) begin
      case (write_addr_i)
        mx_registers_pkg::AddrInterrupt: interrupt_q <= write_data_i[1:0];
        mx_registers_pkg::AddrJob:       job_q       <= write_data_i[5:0];
        mx_registers_pkg::AddrFormats:   formats_q   <= write_data_i[9:0];
        mx_registers_pkg::AddrLength:    length_q    <= write_data_i[15:0];
        default: ;
      endcase
    end
  end
  assign first_o         = job_q[mx_registers_pkg::JobFirst];
  assign last_o          = job_q[mx_registers_pkg::JobLast];
  assign preload_o       = job_q[mx_registers_pkg::JobPreload];
  assign buffer_o        = job_q[mx_registers_pkg::JobBuffer];
  assign result_buffer_o = job_q[mx_registers_pkg::JobResultBuffer];
  assign stream_o        = job_q[mx_registers_pkg::JobStream];
  assign format_a_o      = formats_q[mx_registers_pkg::FormatsA +: 4];
  assign format_b_o      = formats_q[mx_registers_pkg::FormatsB +: 4];
  assign out_type_o      = formats_q[mx_registers_pkg::FormatsOutType +: 2];
  assign blocks_o        = length_q[mx_registers_pkg::LengthBlocks +: 8];
  assign last_elements_o = length_q[mx_registers_pkg::LengthLastElements +: 8];

  // --- done and error: what happens wins over a write that clears
  logic start_is_refused, clears_error;
  logic [mx_registers_pkg::ErrorBits-1:0] error;
  assign start_is_refused = start_o && start_error_i != mx_registers_pkg::ErrorNone;
  assign clears_error     = to_status && write_data_i[mx_registers_pkg::StatusError];
  always_comb begin
    error = stream_error_i;
    if (read_i && read_error != mx_registers_pkg::ErrorNone) error = read_error;
    if (write_i && write_error != mx_registers_pkg::ErrorNone) error = write_error;
    if (start_is_refused) error = start_error_i;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      done_q       <= 1'b0;
      error_q      <= 1'b0;
      error_code_q <= mx_registers_pkg::ErrorNone;
    end else begin
      if (done_i) done_q <= 1'b1;
      else if ((start_o && !start_is_refused) ||
               (to_status && write_data_i[mx_registers_pkg::StatusDone])) done_q <= 1'b0;
      if (error != mx_registers_pkg::ErrorNone) begin
        error_q <= 1'b1;
        if (!error_q || clears_error || fault_i == mx_registers_pkg::FaultErrorOverwritten)
          error_code_q <= error;
      end else if (clears_error) begin
        error_q      <= 1'b0;
        error_code_q <= mx_registers_pkg::ErrorNone;
      end
    end
  end
  assign irq_o = (done_q && interrupt_q[mx_registers_pkg::InterruptDone]) ||
                 (error_q && (interrupt_q[mx_registers_pkg::InterruptError] ||
                              fault_i == mx_registers_pkg::FaultInterruptUnmasked));

  // --- counters
  always_ff @(posedge clk_i) begin
    if (!rst_ni || (to_control && write_data_i[mx_registers_pkg::ControlClearCounters])) begin
      busy_cycles_q    <= '0;
      stalled_cycles_q <= '0;
      beats_q          <= '0;
      rows_out_q       <= '0;
      packets_q        <= '0;
    end else begin
      if (busy_i) busy_cycles_q <= busy_cycles_q + 1'b1;
      if (stalled_i) stalled_cycles_q <= stalled_cycles_q + 1'b1;
      if (beat_i) beats_q <= beats_q + 1'b1;
      if (row_i) rows_out_q <= rows_out_q + 1'b1;
      if (packet_i) packets_q <= packets_q + 1'b1;
    end
  end
endmodule
