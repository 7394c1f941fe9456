package volume

import (
	"context"

	"holdfast"
)

// prober finds out which of many directories have an entry to show, somewhere below them. It looks at all of them in each
// round, in one call per name server, and goes down only where a server could not tell.
type prober struct {
	b     *Bucket
	what  holdfast.Listing
	shown map[int]bool // by candidate
	open  []probe
}

// probe is a scan for the first entry below a candidate.
type probe struct {
	candidate int
	req       holdfast.ListRequest
}

// probeItems is how many items one probe asks for: sub-directories on other servers come before the first entry at worst.
const probeItems = 8

// add makes a directory a candidate, or a part of one.
func (p *prober) add(candidate int, dir holdfast.DirID) {
	req := holdfast.ListRequest{Dir: dir, What: p.what, Recursive: true, Limit: probeItems}
	p.open = append(p.open, probe{candidate, req})
}

// run probes until every candidate is decided.
func (p *prober) run(ctx context.Context) error {
	for len(p.open) > 0 {
		batch := p.open
		p.open = nil
		reqs := make([]holdfast.ListRequest, 0, len(batch))
		kept := batch[:0]
		for _, pr := range batch {
			if !p.shown[pr.candidate] {
				kept, reqs = append(kept, pr), append(reqs, pr.req)
			}
		}
		for i, page := range p.b.vol.router.list(ctx, reqs) {
			if page.Err != nil && !holdfast.Is(page.Err, holdfast.DirGone) {
				return page.Err
			}
			p.take(kept[i], page)
		}
	}
	return nil
}

// take decides a candidate by a page, or adds what is left to look at.
func (p *prober) take(pr probe, page holdfast.Page) {
	if p.shown[pr.candidate] {
		return
	}
	for i := range page.Items {
		if page.Items[i].Dir.IsZero() {
			p.shown[pr.candidate] = true
			return
		}
	}
	for i := range page.Items {
		p.add(pr.candidate, page.Items[i].Dir)
	}
	if n := len(page.Items); page.More && n > 0 {
		pr.req.From, pr.req.After = page.Items[n-1].Name, true
		p.open = append(p.open, pr)
	}
}
