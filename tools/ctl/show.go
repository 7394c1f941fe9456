package ctl

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/node/found"
)

// say prints an answer: the value as JSON or the text.
func (c *command) say(v any, format string, args ...any) error {
	if c.asJSON {
		e := json.NewEncoder(c.Stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	_, err := fmt.Fprintf(c.Stdout, format, args...)
	return err
}

// serviceRow, hostRow, volumeRow and statusRow are lines of tables.
type serviceRow struct {
	ID   string `json:"svc_id"`
	Type string `json:"type"`
	URI  string `json:"uri"`
}

type hostRow struct {
	ID   string `json:"host_id"`
	Name string `json:"hostname"`
	URI  string `json:"uri"`
}

type volumeRow struct {
	ID         string            `json:"vol_id"`
	Type       string            `json:"type"`
	State      string            `json:"state"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type statusRow struct {
	Type   string `json:"type"`
	ID     string `json:"svc_id"`
	Status string `json:"status"`
	Uptime int64  `json:"uptime_s"`
	Host   string `json:"host_id"`
	Addrs  string `json:"addrs"`
}

// configAnswer is get-config as JSON.
type configAnswer struct {
	Version  uint64       `json:"version"`
	Services []serviceRow `json:"services"`
	Hosts    []hostRow    `json:"hosts"`
	Volumes  []volumeRow  `json:"volumes"`
}

// rows makes the tables of a configuration.
func rows(c config.Config) configAnswer {
	a := configAnswer{Version: c.Version, Services: []serviceRow{}, Hosts: []hostRow{}, Volumes: []volumeRow{}}
	for _, g := range c.Gateways {
		a.Services = append(a.Services, serviceRow{g.ID.Value.String(), g.ID.Value.Type().String(), fmt.Sprintf("svc://%s/?address=%s", g.Host.Value, g.Address)})
	}
	for _, s := range c.Services {
		at, _ := c.Storage(s.Storage) // validated
		uri := fmt.Sprintf("vstorage://%s/%s/services/%s", s.Storage, at.Dir, s.ID.Value)
		a.Services = append(a.Services, serviceRow{s.ID.Value.String(), s.ID.Value.Type().String(), uri})
	}
	slices.SortFunc(a.Services, func(x, y serviceRow) int { return cmp.Or(-cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID)) })
	for _, h := range c.Hosts {
		var uris []string
		for _, name := range h.Storages {
			at, _ := c.Storage(name)
			uris = append(uris, "vstorage://"+name+"/"+at.Dir)
		}
		name := h.Name
		if _, port, err := net.SplitHostPort(h.Address); err == nil {
			name += ":" + port
		}
		a.Hosts = append(a.Hosts, hostRow{h.ID.Value.String(), name, cmp.Or(strings.Join(uris, ","), "-")})
	}
	for _, v := range c.Volumes {
		a.Volumes = append(a.Volumes, volumeRow{v.ID.Value.String(), volumeType, "READY", v.Attributes})
	}
	return a
}

// getConfig shows services and hosts, or volumes.
func (c *command) getConfig(f *flag.FlagSet) func(context.Context) error {
	volumes := f.String("n", "", "show volumes instead; `[IP[:PORT]]` of a configuration service to ask")
	return func(ctx context.Context) error {
		at := ""
		if *volumes != "" && *volumes != noAddress {
			var err error
			if at, err = address("-n", *volumes, nodePort); err != nil {
				return err
			}
		}
		cl, err := c.open(ctx, at)
		if err != nil {
			return err
		}
		defer cl.close()
		now, err := cl.newest(ctx)
		if err != nil {
			return err
		}
		a := rows(now)
		if c.asJSON {
			return c.say(a, "")
		}
		return a.write(c.Stdout, c.Now(), *volumes != "")
	}
}

// write writes the tables for people.
func (a configAnswer) write(out io.Writer, now time.Time, volumes bool) error {
	var b strings.Builder
	if volumes {
		table(&b, "VOL_ID\tTYPE\tSTATE", len(a.Volumes), func(i int) []any { return []any{a.Volumes[i].ID, a.Volumes[i].Type, a.Volumes[i].State} })
	} else {
		fmt.Fprintf(&b, "%s Use configuration service '%s'\n", now.Format("02-01-06 15:04:05.000"), serviceName)
		table(&b, "SVC_ID\tTYPE\tURI", len(a.Services), func(i int) []any { return []any{a.Services[i].ID, a.Services[i].Type, a.Services[i].URI} })
		b.WriteString("\n")
		table(&b, "HOST_ID\tHOSTNAME\tURI", len(a.Hosts), func(i int) []any { return []any{a.Hosts[i].ID, a.Hosts[i].Name, a.Hosts[i].URI} })
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// table writes aligned columns.
func table(w io.Writer, head string, n int, row func(int) []any) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, head)
	for i := range n {
		fmt.Fprintln(t, strings.TrimSuffix(strings.ReplaceAll(fmt.Sprintln(row(i)...), " ", "\t"), "\n"))
	}
	_ = t.Flush() // into memory
}

// agentStatus shows what all hosts run. A host that does not answer has a line on the standard error.
func (c *command) agentStatus(*flag.FlagSet) func(context.Context) error {
	return func(ctx context.Context) error {
		cl, err := c.open(ctx, "")
		if err != nil {
			return err
		}
		defer cl.close()
		now, err := cl.newest(ctx)
		if err != nil {
			return err
		}
		out, silent := c.statuses(ctx, now.Hosts)
		for _, line := range silent {
			fmt.Fprintln(c.Stderr, line)
		}
		if c.asJSON {
			return c.say(out, "")
		}
		var b strings.Builder
		table(&b, "TYPE\tSVC_ID\tSTATUS\tUPTIME\tHOST_ID\tADDRS", len(out), func(i int) []any {
			return []any{out[i].Type, out[i].ID, out[i].Status, out[i].Uptime, out[i].Host, out[i].Addrs}
		})
		_, err = io.WriteString(c.Stdout, b.String())
		return err
	}
}

// maxAsked bounds how many hosts are asked at once.
const maxAsked = 16

// statuses asks all hosts what they are at.
func (c *command) statuses(ctx context.Context, hosts []config.Host) (all []statusRow, silent []string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxAsked)
	for _, h := range hosts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			s, err := c.status(ctx, h)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				silent = append(silent, fmt.Sprintf("host %s (%s) does not answer at %s", h.ID.Value, h.Name, h.Address))
			}
			all = append(all, statusRows(s)...)
		})
	}
	wg.Wait()
	slices.Sort(silent)
	slices.SortFunc(all, func(x, y statusRow) int { return cmp.Or(-cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID)) })
	return all, silent
}

func (c *command) status(ctx context.Context, h config.Host) (confrpc.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusWithin)
	defer cancel()
	conn, err := found.Connect(ctx, c.dir, h.Address)
	if err != nil {
		return confrpc.Status{}, err
	}
	defer conn.Close()
	return conn.Status(ctx)
}

// statusRows makes lines of what a host is at.
func statusRows(s confrpc.Status) []statusRow {
	out := []statusRow{}
	for _, svc := range s.Services {
		out = append(out, statusRow{
			Type: svc.ID.Type().String(), ID: svc.ID.String(), Status: string(svc.State), Uptime: int64(svc.Uptime / time.Second),
			Host: s.Host.String(), Addrs: cmp.Or(svc.Address, "-"),
		})
	}
	return out
}
