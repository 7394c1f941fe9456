package gw

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/gw/s3api"
)

// TestMetricLabelsAreBounded sends requests full of names that a client could choose: none of them becomes a label.
func TestMetricLabelsAreBounded(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	c := clientOf(t, serve(t, newTestGateway(t, func(o *Options) { o.Registerer = registry })))
	c.do("PUT", "/bucket", nil).is(200)
	c.do("PUT", "/bucket/k", []byte("0123456789")).is(200)
	c.do("GET", "/bucket/k", nil).is(200)
	for i := range 50 {
		c.do(fmt.Sprintf("M%d", i), fmt.Sprintf("/bucket%d/%d?q%d", i, i, i), nil).is(405)
		c.do("GET", fmt.Sprintf("/bucket%d/%d", i, i), nil).is(404)
	}
	c.do("GET", "/bucket?abac", nil).is(501)
	known := map[string]bool{"Unknown": true}
	for _, op := range s3api.Ops() {
		known[op.String()] = true
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "holdfast_gw_") {
			continue
		}
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
				ok := l.GetName() == "operation" && known[l.GetValue()] || l.GetName() == "code" && s3api.Code(l.GetValue()).Known()
				if !ok {
					t.Errorf("%s has the label %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
			values[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"holdfast_gw_requests_total PutObject": 1, "holdfast_gw_requests_total GetObject": 51, "holdfast_gw_requests_total Unknown": 50,
		"holdfast_gw_errors_total NoSuchBucket": 50, "holdfast_gw_errors_total MethodNotAllowed": 50, "holdfast_gw_errors_total NotImplemented": 1,
		"holdfast_gw_request_seconds PutObject": 1, "holdfast_gw_received_bytes_total": 10,
	} {
		if values[name] != want {
			t.Errorf("%s: got %v, want %v", name, values[name], want)
		}
	}
	if values["holdfast_gw_sent_bytes_total"] < 10 {
		t.Errorf("sent %v bytes", values["holdfast_gw_sent_bytes_total"])
	}
}
