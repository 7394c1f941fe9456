package fsck

import (
	"encoding/json"
	"fmt"
	"io"
)

// summary is the last thing written.
type summary struct {
	Report
	Live  bool `json:"live"`  // a running server was asked
	Books bool `json:"books"` // the engines checked their own books
}

// output writes findings as text or JSON and remembers the first error.
type output struct {
	w    io.Writer
	json bool
	err  error
}

func (o *output) problem(p Problem) {
	if o.json {
		o.encode(p)
		return
	}
	subject := p.Name
	if p.OS != "" {
		if subject != "" {
			subject += ": "
		}
		subject += p.OS
	}
	if p.Object != "" {
		subject += " " + p.Object
	}
	o.printf("%s: %s: %s\n", p.Kind, subject, p.Detail)
}

func (o *output) report(r summary) {
	if o.json {
		o.encode(r)
		return
	}
	o.printf("%d buckets, %d directories, %d versions, %d uploads, %d links\n", r.Buckets, r.Directories, r.Versions, r.Uploads, r.Links)
	o.printf("%d objects, %d bytes; %d waiting (too young to tell, or given up and not freed yet), %d freed now\n", r.Objects, r.Bytes, r.Waiting, r.Freed)
	if !r.Complete {
		o.printf("partial: not everything was looked at; %d suspects were not looked at a second time\n", r.Unchecked)
	}
	switch {
	case r.Problems > 0:
		o.printf("%d problems\n", r.Problems)
	case r.Complete:
		o.printf("clean\n")
	default:
		o.printf("no problems found so far\n")
	}
}

func (o *output) encode(v any) {
	if err := json.NewEncoder(o.w).Encode(v); o.err == nil {
		o.err = err
	}
}

func (o *output) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(o.w, format, args...); o.err == nil {
		o.err = err
	}
}
