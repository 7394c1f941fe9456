package lifecycle

import (
	"context"
	"errors"
	"runtime"
	"time"

	"holdfast"
	"holdfast/volume"
)

// errChanged ends a scan whose bucket got other rules; the next look finds it due.
var errChanged error = &holdfast.Error{Op: "lifecycle.scan", Kind: holdfast.Conflict, Err: errors.New("the rules were changed")}

// scan is one way through a bucket.
type scan struct {
	r     *Runner
	info  *holdfast.BucketInfo // as of the page at hand
	b     *volume.Bucket
	log   *logTo
	rules *Rules
	now   time.Time
	state progress
	saved time.Time
	spent time.Time // when the page at hand was begun

	history history
	actions []action // of the page at hand

	names, removed, locked, aborted int
}

// action is something to be done.
type action struct {
	did     string
	request volume.DeleteRequest
	version Version // what made it due, to be judged again with its tags
	newer   int
}

// scan goes through a bucket, from where the last scan of the same day and rules stopped.
func (r *Runner) scan(ctx context.Context, info *holdfast.BucketInfo) (*scan, error) {
	last, err := r.last(ctx, info)
	if err != nil {
		return nil, err
	}
	s := &scan{r: r, info: info, now: r.opts.Now(), state: r.today(info)}
	if !s.state.begins(last) {
		s.state.After = last.After
	}
	l, err := Parse(info.Settings[Setting])
	if err != nil {
		return nil, err
	}
	s.rules = New(l, r.opts.Day)
	if s.rules.Objects() {
		if err := s.objects(ctx); err != nil {
			return nil, err
		}
	}
	if s.rules.Uploads() {
		if err := s.uploads(ctx); err != nil {
			return nil, err
		}
	}
	s.state.Done, s.state.After = true, nil
	return s, r.save(ctx, info, s.state)
}

// refresh reads the bucket again before a page, so that nothing is judged by rules that were changed.
func (s *scan) refresh(ctx context.Context) error {
	s.spent = time.Now()
	b, err := s.r.opts.Volume.Bucket(ctx, s.info.Name)
	if err != nil {
		return err
	}
	info := b.Info()
	if info.Root != s.info.Root || s.r.today(info).Rules != s.state.Rules || info.Versioning != s.info.Versioning {
		return errChanged
	}
	s.b, s.info, s.log = b, info, s.r.logOf(info)
	return nil
}

// objects goes through the versions.
func (s *scan) objects(ctx context.Context) error {
	opts := volume.ListOptions{Prefix: s.rules.Prefix(), Limit: pageNames, After: volume.Position{Key: string(s.state.After)}}
	if s.info.Versioning != holdfast.VersioningOff {
		opts.What = holdfast.ListVersions
	}
	for {
		if err := s.refresh(ctx); err != nil {
			return err
		}
		page, err := s.b.List(ctx, opts)
		if err != nil {
			return err
		}
		s.count(len(page.Items))
		for i := range page.Items {
			s.look(&page.Items[i])
		}
		if !page.More {
			s.endKey()
		}
		if err := s.act(ctx); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		opts.After = page.Next
		if err := s.rest(ctx, len(page.Items)); err != nil {
			return err
		}
	}
}

func (s *scan) count(names int) {
	s.names += names
	s.r.metrics.names.Add(float64(names))
}

// history is what a scan remembers of the key it is at: its versions come newest first.
type history struct {
	key    string
	before string          // the key before, done with
	newer  int             // noncurrent versions so far
	since  time.Time       // when the version before this one was written
	marker *holdfast.Entry // the current version, if it is a delete marker and nothing came after it yet
}

// look judges one version.
func (s *scan) look(it *volume.ListItem) {
	h := &s.history
	if it.Key != h.key || h.since.IsZero() {
		s.endKey()
		*h = history{key: it.Key, before: h.key}
	}
	v := Version{Key: it.Key, Size: it.Entry.Size, Since: it.Entry.Modified, AnyTags: true}
	latest := it.Latest || s.info.Versioning == holdfast.VersioningOff
	switch {
	case latest && it.Entry.Marker:
		h.marker = it.Entry
	case latest:
		if due, rule := s.rules.Expiry(&v); rule != "" && !s.now.Before(due) {
			s.plan(didExpire, s.expire(it), v, 0)
		}
	default:
		h.marker = nil
		v.Since = h.since
		if s.rules.NoncurrentDue(&v, h.newer, s.now) {
			s.plan(didNoncurrent, exactly(it.Key, it.Entry), v, h.newer)
		}
		h.newer++
	}
	h.since = it.Entry.Modified
}

// endKey judges a delete marker that turned out to be all there is of its key.
func (s *scan) endKey() {
	h := &s.history
	if h.marker == nil {
		return
	}
	v := Version{Key: h.key, Since: h.marker.Modified}
	if s.rules.MarkerDue(&v, s.now) {
		s.plan(didMarker, exactly(h.key, h.marker), v, 0)
	}
	h.marker = nil
}

func (s *scan) plan(did string, r volume.DeleteRequest, v Version, newer int) {
	s.actions = append(s.actions, action{did, r, v, newer})
}

// exactly asks for the removal of one version for good.
func exactly(key string, e *holdfast.Entry) volume.DeleteRequest {
	return volume.DeleteRequest{Key: key, Version: volume.Version{ID: e.Version}}
}

// expire asks for the current version to be removed or, with versioning, to be hidden if it still is the current one.
func (s *scan) expire(it *volume.ListItem) volume.DeleteRequest {
	if s.info.Versioning == holdfast.VersioningOff {
		return exactly(it.Key, it.Entry)
	}
	modified := it.Entry.Modified
	return volume.DeleteRequest{Key: it.Key, Owner: s.info.Owner, If: holdfast.Conditions{IfModified: &modified}}
}

// act does what the page at hand made due.
func (s *scan) act(ctx context.Context) error {
	actions := s.actions
	s.actions = s.actions[:0]
	for len(actions) > 0 {
		n := min(len(actions), volume.MaxDelete)
		part, err := s.withTags(ctx, actions[:n])
		if err != nil {
			return err
		}
		if err := s.remove(ctx, part); err != nil {
			return err
		}
		actions = actions[n:]
	}
	return nil
}

// withTags judges the actions again by the tags of their versions, which listings do not tell, if any rule asks for tags.
func (s *scan) withTags(ctx context.Context, actions []action) ([]action, error) {
	if !s.rules.NeedTags() {
		return actions, nil
	}
	asks := make([]volume.HeadRequest, len(actions))
	for i := range actions {
		asks[i] = volume.HeadRequest{Key: actions[i].request.Key, Version: actions[i].request.Version}
	}
	kept := actions[:0]
	for i, head := range s.b.Heads(ctx, asks) {
		a := actions[i]
		if holdfast.Is(head.Err, holdfast.NotFound) {
			continue
		}
		if head.Err != nil {
			return nil, head.Err
		}
		a.version.Tags, a.version.AnyTags = head.Entry.Tags, false
		if s.still(&a) {
			kept = append(kept, a)
		}
	}
	return kept, nil
}

// still reports whether an action is due now that the tags are known.
func (s *scan) still(a *action) bool {
	switch a.did {
	case didExpire:
		due, rule := s.rules.Expiry(&a.version)
		return rule != "" && !s.now.Before(due)
	case didNoncurrent:
		return s.rules.NoncurrentDue(&a.version, a.newer, s.now)
	}
	return true // markers have no tags
}

// remove carries out actions. A version that is locked, or was replaced, stays.
func (s *scan) remove(ctx context.Context, actions []action) error {
	if len(actions) == 0 {
		return nil
	}
	requests := make([]volume.DeleteRequest, len(actions))
	for i := range actions {
		requests[i] = actions[i].request
	}
	var failed error
	for i, result := range s.b.Delete(ctx, requests) {
		did := actions[i].did
		switch holdfast.KindOf(result.Err) {
		case holdfast.Locked:
			did = didLocked
			s.locked++
		case holdfast.Precondition, holdfast.NotFound:
			did = didChanged
		default:
			if result.Err != nil {
				failed = result.Err
				continue
			}
			if !result.Found {
				did = didChanged
				break
			}
			s.removed++
			s.logRemoved(&actions[i], &result)
		}
		s.r.metrics.removed.WithLabelValues(did).Inc()
	}
	return failed
}

// rest ends a page: it saves how far the scan has come, and makes way for requests.
func (s *scan) rest(ctx context.Context, names int) error {
	if time.Since(s.saved) > saveEvery && s.history.before != "" {
		s.state.After = []byte(s.history.before)
		if err := s.r.save(ctx, s.info, s.state); err != nil {
			return err
		}
		s.saved = time.Now()
	}
	took := time.Since(s.spent)
	pause := time.Duration(float64(names)/float64(s.r.opts.Rate)*float64(time.Second)) - took
	if s.r.opts.Busy() {
		pause = max(pause, makeWay(took, runtime.GOMAXPROCS(0)))
	}
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err()
}

// makeWay returns how long to rest after work of one processor that took a while, so that it takes no more than its share of them all.
func makeWay(took time.Duration, processors int) time.Duration {
	share := busyShare * float64(processors)
	if share >= 1 {
		return 0
	}
	return min(time.Duration(float64(took)*(1/share-1)), longestRest)
}

// uploads goes through the unfinished uploads.
func (s *scan) uploads(ctx context.Context) error {
	opts := volume.ListOptions{What: holdfast.ListUploads, Prefix: s.rules.Prefix(), Limit: pageNames}
	for {
		if err := s.refresh(ctx); err != nil {
			return err
		}
		page, err := s.b.List(ctx, opts)
		if err != nil {
			return err
		}
		s.count(len(page.Items))
		for i := range page.Items {
			if err := s.abort(ctx, &page.Items[i]); err != nil {
				return err
			}
		}
		if err := s.rest(ctx, len(page.Items)); err != nil || !page.More {
			return err
		}
		opts.After = page.Next
	}
}

// abort gives an upload up if that is due.
func (s *scan) abort(ctx context.Context, it *volume.ListItem) error {
	v := Version{Key: it.Key, Since: it.Upload.Initiated}
	if due, rule := s.rules.Abort(&v); rule == "" || s.now.Before(due) {
		return nil
	}
	err := s.b.AbortUpload(ctx, it.Key, it.Upload.ID)
	if holdfast.Is(err, holdfast.NoSuchUpload) {
		return nil
	}
	if err == nil {
		s.aborted++
		s.logAborted(it.Key)
		s.r.metrics.removed.WithLabelValues(didAbort).Inc()
	}
	return err
}
