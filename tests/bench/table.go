package main

import (
	"fmt"
	"io"
	"strings"
)

// table prints the figures as markdown.
func (f *figures) table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s; %s", f.Machine, f.Started.Format("2006-01-02 15:04"))
	if f.Quick {
		b.WriteString("; quick, so coarse")
	}
	b.WriteString("\n")
	if len(f.Results) > 0 {
		f.speed(&b)
	}
	if f.Fill != nil {
		f.Fill.table(&b)
	}
	if len(f.Scale) > 0 {
		scaleTable(&b, f.Scale)
	}
	for _, n := range f.Notes {
		fmt.Fprintf(&b, "\nNOT MEASURED: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// speed is the table of throughput and CPU against the two floors.
func (f *figures) speed(b *strings.Builder) {
	fmt.Fprintf(b, "\nMedians, concurrency %d. (a) null: same server and authentication without a store; (b) raw: pwrite and fdatasync.\n\n", concurrency)
	b.WriteString("| scenario | holdfast | null (a) | raw (b) | of (a) | of (b) | p50 | p99 | CPU µs/request | null CPU | target | met |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---|\n")
	for _, r := range f.Results {
		unit := "/s"
		if r.InBytes {
			unit = " MiB/s"
		}
		mine := r.throughput(ours)
		p50 := r.median(ours, func(s sample) float64 { return s.P50Micros })
		p99 := r.median(ours, func(s sample) float64 { return s.P99Micros })
		text, met := r.target.judge(r)
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.2f ms | %.2f ms | %.0f | %.0f | %s | %s |\n", r.Name,
			amount(mine, unit), amount(r.throughput(null), unit), amount(r.throughput(raw), unit),
			share(mine, r.throughput(null)), share(mine, r.throughput(raw)), p50/1000, p99/1000, r.cpu(ours), r.cpu(null), text, met)
	}
}

// judge words the targets of a scenario and whether each is met.
func (t target) judge(r *result) (text, met string) {
	var texts, verdicts []string
	add := func(text string, known, ok bool) {
		texts, verdicts = append(texts, text), append(verdicts, verdict(known, ok))
	}
	mine, a, b := r.throughput(ours), r.throughput(null), r.throughput(raw)
	if t.ofNull > 0 {
		add(fmt.Sprintf("≥ %.0f %% of (a)", t.ofNull*100), a > 0 && mine > 0, mine >= t.ofNull*a)
	}
	if t.ofSmaller > 0 {
		add(fmt.Sprintf("≥ %.0f %% of the smaller of (a), (b)", t.ofSmaller*100), a > 0 && b > 0 && mine > 0, mine >= t.ofSmaller*min(a, b))
	}
	if t.cpuMicros > 0 {
		add(fmt.Sprintf("≤ %.0f µs", t.cpuMicros), r.cpu(ours) > 0, r.cpu(ours) <= t.cpuMicros)
	}
	return strings.Join(texts, ", "), strings.Join(verdicts, ", ")
}

func verdict(known, ok bool) string {
	switch {
	case !known:
		return "unknown"
	case ok:
		return "yes"
	default:
		return "NO"
	}
}

func amount(v float64, unit string) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f%s", v, unit)
}

func share(a, b float64) string {
	if a == 0 || b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*a/b)
}

// table is the space, listing and deletion of many small objects.
func (f *fill) table(b *strings.Builder) {
	fmt.Fprintf(b, "\n%d objects of 4 KiB on a fresh server, written at %.0f per second.\n\n", f.Objects, f.PutsPerSecond)
	b.WriteString("| figure | measured | target | met |\n|---|---:|---|---|\n")
	row := func(name, value, target string, ok bool) {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, value, target, verdict(true, ok))
	}
	row("disk use, allocated blocks over payload", fmt.Sprintf("%.3f", f.DiskRatio), "≤ 1.13", f.DiskRatio <= 1.13)
	row("files", fmt.Sprint(f.Disk.Files), "≤ 40", f.Disk.Files <= 40)
	row("list, keys/s", fmt.Sprintf("%.0f", f.ListKeysPerSecond), "≥ 200000", f.ListKeysPerSecond >= 200000)
	row("list, server CPU µs/key", fmt.Sprintf("%.2f", f.ListCPUMicrosPerKey), "≤ 5", f.ListCPUMicrosPerKey <= 5)
	row("multi-delete, keys/s", fmt.Sprintf("%.0f", f.DeleteKeysPerSecond), "≥ 40000", f.DeleteKeysPerSecond >= 40000)
	row("idle memory, MiB", fmt.Sprint(f.IdleRSSBytes>>20), "< 100", f.IdleRSSBytes < 100<<20)
	fmt.Fprintf(b, "| list by one client, keys/s | %.0f | | |\n", f.ListOneKeysPerSecond)
	fmt.Fprintf(b, "| multi-delete, server CPU µs/key | %.2f | | |\n", f.DeleteCPUMicros)
	fmt.Fprintf(b, "| peak memory, MiB | %d | | |\n", f.PeakRSSBytes>>20)
}

// scaleTable compares the cost of operations at different numbers of names.
func scaleTable(b *strings.Builder, costs []cost) {
	b.WriteString("\nServer CPU per operation, µs (per second in parentheses); the target is that it does not grow.\n\n| names |")
	ops := []string{"put", "get", "stat", "delete", "list"}
	for _, o := range ops {
		if o == "list" {
			o = "list, per key"
		}
		fmt.Fprintf(b, " %s |", o)
	}
	b.WriteString(" peak memory | disk |\n|---:|" + strings.Repeat("---:|", len(ops)+2) + "\n")
	for _, c := range costs {
		fmt.Fprintf(b, "| %d |", c.Names)
		for _, o := range ops {
			fmt.Fprintf(b, " %.1f (%.0f) |", c.CPUMicros[o], c.PerSecond[o])
		}
		fmt.Fprintf(b, " %d MiB | %d MiB in %d files |\n", c.PeakRSSBytes>>20, c.Disk.AllocatedBytes>>20, c.Disk.Files)
	}
}
