package policy

// Decision is the outcome of an evaluation.
type Decision struct {
	Effect    Effect
	Statement int    // index of the statement that decides, -1 if none applies
	Sid       string // its Sid
}

// Evaluate decides a request. A statement that denies and applies wins over all that allow.
func (p *Policy) Evaluate(r *Request) Decision {
	action := indexOf(r.Action)
	for _, i := range p.order {
		if s := &p.statements[i]; s.check(r, action, p.bucket != "") == applies {
			return Decision{Effect: s.effect, Statement: i, Sid: s.sid}
		}
	}
	return Decision{Statement: -1}
}

// indexOf returns the index of an action in actions, -1 if it is none of S3's.
func indexOf(action string) int {
	if i, ok := actionIndex[action]; ok {
		return i
	}
	return -1
}

// verdict says whether a statement applies to a request, and if not, what of it does not match.
type verdict uint8

const (
	applies verdict = iota
	otherAction
	otherResource
	otherPrincipal
	unmetCondition
)

// check compares the statement with a request, the cheapest part first.
func (s *statement) check(r *Request, action int, resourceBased bool) verdict {
	switch {
	case !s.about(action, r.Action):
		return otherAction
	case !s.on(r):
		return otherResource
	case resourceBased && !s.principals.match(r.Principal):
		return otherPrincipal
	case s.unmet(r) >= 0:
		return unmetCondition
	}
	return applies
}

// about reports whether the statement is about an action.
func (s *statement) about(i int, name string) bool {
	if i >= 0 {
		return s.names.has(i)
	}
	for n := range s.actions {
		if s.actions[n].matches(i, name) {
			return !s.notAction
		}
	}
	return s.notAction
}

// on reports whether the statement is about the request's resource.
func (s *statement) on(r *Request) bool {
	for i := range s.resources {
		if s.resources[i].match(r) {
			return !s.notResource
		}
	}
	return s.notResource
}

// unmet returns the index of the first condition that does not hold, -1 if all do.
func (s *statement) unmet(r *Request) int {
	for i := range s.conditions {
		if c := &s.conditions[i]; !c.holds(r, r.value(c.ref)) {
			return i
		}
	}
	return -1
}
