package policy

import (
	"fmt"
	"strings"
)

// Explanation tells how a decision came about.
type Explanation struct {
	Decision   Decision
	Statements []Finding // one for each statement, in the order of the document
}

// Finding tells of one statement whether it applies to the request.
type Finding struct {
	Index   int    `json:"statement"`
	Sid     string `json:"sid,omitempty"`
	Effect  Effect `json:"effect"`
	Applies bool   `json:"applies"`
	Why     string `json:"why"` // what does not match, or that everything does
}

// Explain decides a request as [Policy.Evaluate] does and tells for each statement why it applies or does not.
func (p *Policy) Explain(r *Request) Explanation {
	e := Explanation{Decision: p.Evaluate(r)}
	action := indexOf(r.Action)
	for i := range p.statements {
		s := &p.statements[i]
		v := s.check(r, action, p.bucket != "")
		e.Statements = append(e.Statements, Finding{i, s.sid, s.effect, v == applies, s.why(r, v)})
	}
	return e
}

// why puts a verdict into words.
func (s *statement) why(r *Request, v verdict) string {
	switch v {
	case otherAction:
		return fmt.Sprintf("the action %s is not one of the statement's", r.Action)
	case otherResource:
		return fmt.Sprintf("the resource %s%s is not one of the statement's", s3ARN, r.Resource)
	case otherPrincipal:
		who := r.Principal.ARN()
		switch {
		case r.Principal.Service != "":
			who = r.Principal.Service
		case who == "":
			who = "the anonymous caller"
		}
		return fmt.Sprintf("%s is not one of the statement's principals", who)
	case unmetCondition:
		c := &s.conditions[s.unmet(r)]
		have := "the request does not have the key"
		if got := r.value(c.ref); got.kind != absent {
			have = fmt.Sprintf("the request has %q", got)
		}
		return fmt.Sprintf("the condition %s %s %q does not hold: %s", c.written, c.ref, strings.Join(c.values, ", "), have)
	}
	return "principal, action, resource and conditions match"
}
