// Package check holds the manifests next to it to the types of Kubernetes, and the
// dashboard to those of Grafana. It is a module of its own, so that the program's has
// nothing to do with either.
package check

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// objects are what kustomize builds, by kind, decoded strictly: a member that the type
// does not have is an error.
type objects struct {
	sets        []*apps.StatefulSet
	services    []*core.Service
	accounts    []*core.ServiceAccount
	namespaces  []*core.Namespace
	budgets     []*policy.PodDisruptionBudget
	policies    []*networking.NetworkPolicy
	autoscalers []*autoscaling.HorizontalPodAutoscaler
	scaled      []map[string]any // of KEDA, whose types are not at hand
}

// build builds what is in a folder next to this one; components are added to what its
// kustomization says.
func build(t *testing.T, folder string, components ...string) (all objects) {
	t.Helper()
	disk := filesys.MakeFsOnDisk()
	from, err := filepath.Abs(filepath.Join("..", folder))
	if err != nil {
		t.Fatal(err)
	}
	if len(components) > 0 {
		from = filepath.Join(t.TempDir(), "overlay")
		extra := "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nnamespace: fairfactor\nresources: [" + relative(t, from, folder) + "]\ncomponents: ["
		for i, c := range components {
			if i > 0 {
				extra += ", "
			}
			extra += relative(t, from, c)
		}
		if err := os.MkdirAll(from, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, "kustomization.yaml"), []byte(extra+"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, from)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		kind := r.GetKind()
		switch kind {
		case "StatefulSet":
			all.sets = append(all.sets, decode[apps.StatefulSet](t, text))
		case "Service":
			all.services = append(all.services, decode[core.Service](t, text))
		case "ServiceAccount":
			all.accounts = append(all.accounts, decode[core.ServiceAccount](t, text))
		case "Namespace":
			all.namespaces = append(all.namespaces, decode[core.Namespace](t, text))
		case "PodDisruptionBudget":
			all.budgets = append(all.budgets, decode[policy.PodDisruptionBudget](t, text))
		case "NetworkPolicy":
			all.policies = append(all.policies, decode[networking.NetworkPolicy](t, text))
		case "HorizontalPodAutoscaler":
			all.autoscalers = append(all.autoscalers, decode[autoscaling.HorizontalPodAutoscaler](t, text))
		case "ScaledObject":
			all.scaled = append(all.scaled, *decode[map[string]any](t, text))
		default:
			t.Errorf("nothing is known of the kind %s", kind)
		}
		if ns := r.GetNamespace(); kind != "Namespace" && ns != "fairfactor" {
			t.Errorf("%s %s is in the namespace %q", kind, r.GetName(), ns)
		}
	}
	return all
}

func relative(t *testing.T, from, folder string) string {
	to, err := filepath.Abs(filepath.Join("..", folder))
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, text []byte) *T {
	t.Helper()
	into := new(T)
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return into
}

// flags are those of serve as variables of the environment, by docs/operations.md, which
// a test of the program holds to what serve has.
func flags(t *testing.T) map[string]bool {
	text, err := os.ReadFile("../../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if row, ok := strings.CutPrefix(line, "| `--"); ok {
			cell, _, _ := strings.Cut("`--"+row, " |")
			for _, f := range strings.Split(cell, ",") {
				name := strings.Trim(strings.TrimSpace(f), "`")
				known["FAIRFACTOR_"+strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(name, "--"), "-", "_"))] = true
			}
		}
	}
	if len(known) < 20 {
		t.Fatalf("only %v", known)
	}
	return known
}

// selects reports whether labels have what a selector asks for.
func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

// node checks what all overlays have in common and returns the set of nodes.
func (all objects) node(t *testing.T) *apps.StatefulSet {
	t.Helper()
	if len(all.sets) != 1 || len(all.services) != 2 || len(all.budgets) != 1 || len(all.policies) != 1 || len(all.accounts) != 1 || len(all.namespaces) != 1 {
		t.Fatalf("%+v", all)
	}
	set := all.sets[0]
	pod, c := set.Spec.Template, set.Spec.Template.Spec.Containers[0]
	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	headless := ""
	for _, s := range all.services {
		if !selects(s.Spec.Selector, pod.Labels) {
			t.Errorf("the service %s selects %v, pods have %v", s.Name, s.Spec.Selector, pod.Labels)
		}
		for _, p := range s.Spec.Ports {
			if ports[p.TargetPort.StrVal] == 0 {
				t.Errorf("the service %s has a port %s that no container has", s.Name, p.TargetPort.String())
			}
		}
		if s.Spec.ClusterIP == core.ClusterIPNone && s.Spec.PublishNotReadyAddresses {
			headless = s.Name
		}
	}
	if headless == "" || set.Spec.ServiceName != headless {
		t.Errorf("the set belongs to the service %q, the one of all nodes is %q", set.Spec.ServiceName, headless)
	}
	for name, selector := range map[string]map[string]string{
		"set": set.Spec.Selector.MatchLabels, "budget": all.budgets[0].Spec.Selector.MatchLabels, "policy": all.policies[0].Spec.PodSelector.MatchLabels,
	} {
		if !selects(selector, pod.Labels) {
			t.Errorf("the %s selects %v, pods have %v", name, selector, pod.Labels)
		}
	}
	if all.accounts[0].Name != pod.Spec.ServiceAccountName || all.accounts[0].AutomountServiceAccountToken == nil || *all.accounts[0].AutomountServiceAccountToken {
		t.Errorf("account %+v of pods that say %q", all.accounts[0], pod.Spec.ServiceAccountName)
	}
	known, mounts := flags(t), map[string]string{}
	var err error
	linger, drain := time.Duration(0), 10*time.Second // the defaults
	for _, m := range c.VolumeMounts {
		mounts[m.MountPath] = m.Name
	}
	for _, e := range c.Env {
		if !known[e.Name] {
			t.Errorf("%s is no flag of serve", e.Name)
		}
		if strings.HasPrefix(e.Value, "/") && mounts[filepath.Dir(e.Value)] == "" {
			t.Errorf("%s=%s is on no volume", e.Name, e.Value)
		}
		if e.Name == "FAIRFACTOR_LINGER" {
			linger, err = time.ParseDuration(e.Value)
		}
		if e.Name == "FAIRFACTOR_DRAIN" {
			drain, err = time.ParseDuration(e.Value)
		}
		if err != nil {
			t.Errorf("%s=%s: %v", e.Name, e.Value, err)
		}
		if e.Name == "FAIRFACTOR_JOIN" && e.Value != headless+fmt.Sprintf(":%d", ports["gossip"]) {
			t.Errorf("nodes join %s", e.Value)
		}
	}
	for name, p := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		want := map[string]string{"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}[name]
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != want || p.HTTPGet.Port.StrVal != "http" {
			t.Errorf("the %s probe is %+v", name, p)
		}
	}
	checkStop(t, &pod.Spec, linger, drain)
	restricted(t, &pod.Spec)
	if enforced := all.namespaces[0].Labels["pod-security.kubernetes.io/enforce"]; enforced != "restricted" {
		t.Errorf("the namespace enforces %q", enforced)
	}
	return set
}

// stopSteps is how many steps of stopping may take --drain each: requests, turns, what they
// found, actors, writes, the store.
const stopSteps = 6

// checkStop holds a pod to what a node needs so that no request fails when it leaves: balancers
// notice before it takes no more, and it is not killed before it could end.
func checkStop(t *testing.T, pod *core.PodSpec, linger, drain time.Duration) {
	t.Helper()
	ready := pod.Containers[0].ReadinessProbe
	notices := time.Duration(ready.PeriodSeconds*ready.FailureThreshold+ready.TimeoutSeconds) * time.Second
	if linger <= notices {
		t.Errorf("a node lingers for %v, and is found not to be ready after %v", linger, notices)
	}
	if grace := pod.TerminationGracePeriodSeconds; grace == nil || time.Duration(*grace)*time.Second <= linger+stopSteps*drain {
		t.Errorf("a node is killed before it has used its time: %v and %d times %v", linger, stopSteps, drain)
	}
	if pod.Containers[0].Lifecycle != nil {
		t.Error("there is a hook, although --linger does what preStop is for")
	}
}

// restricted holds a pod to the Pod Security Standard of that name, and to a read-only
// file system.
func restricted(t *testing.T, pod *core.PodSpec) {
	t.Helper()
	p, c := pod.SecurityContext, pod.Containers[0].SecurityContext
	switch {
	case p == nil || c == nil:
		t.Error("no security context")
	case p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.RunAsUser == nil || *p.RunAsUser == 0:
		t.Error("it runs as root")
	case p.SeccompProfile == nil || p.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault:
		t.Error("no filter of system calls")
	case c.AllowPrivilegeEscalation == nil || *c.AllowPrivilegeEscalation:
		t.Error("it may gain privileges")
	case c.Capabilities == nil || len(c.Capabilities.Drop) != 1 || c.Capabilities.Drop[0] != "ALL" || len(c.Capabilities.Add) > 0:
		t.Error("it has capabilities")
	case c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem:
		t.Error("it may write to its image")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		t.Error("it shares what belongs to the machine")
	}
}

func TestOneNode(t *testing.T) {
	set := build(t, "one-node").node(t)
	if *set.Spec.Replicas != 1 || len(set.Spec.VolumeClaimTemplates) != 1 || set.Spec.VolumeClaimTemplates[0].Name != "data" {
		t.Errorf("%d replicas with the volumes %+v", *set.Spec.Replicas, set.Spec.VolumeClaimTemplates)
	}
	if r := set.Spec.PersistentVolumeClaimRetentionPolicy; r == nil || r.WhenDeleted != apps.RetainPersistentVolumeClaimRetentionPolicyType {
		t.Error("the jobs go when the set is deleted")
	}
}

func TestCluster(t *testing.T) {
	all := build(t, "cluster")
	set := all.node(t)
	if *set.Spec.Replicas != 3 || len(set.Spec.VolumeClaimTemplates) != 0 {
		t.Errorf("%d replicas with the volumes %+v", *set.Spec.Replicas, set.Spec.VolumeClaimTemplates)
	}
	volumes := map[string]bool{}
	for _, v := range set.Spec.Template.Spec.Volumes {
		volumes[v.Name] = v.Secret != nil && *v.Secret.DefaultMode == 0o440
	}
	for _, m := range set.Spec.Template.Spec.Containers[0].VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s is mounted, and no secret that only the node reads", m.Name)
		}
	}
	database := false
	for _, e := range all.policies[0].Spec.Egress {
		for _, p := range e.Ports {
			database = database || p.Port.IntVal == 5432
		}
	}
	if !database {
		t.Error("nodes can't reach PostgreSQL")
	}
}

func TestAutoscalers(t *testing.T) {
	hpa := build(t, "cluster", "autoscale/hpa")
	if set := hpa.node(t); set.Spec.Replicas != nil {
		t.Error("two owners of the number of nodes")
	}
	a := hpa.autoscalers[0].Spec
	if a.ScaleTargetRef.Kind != "StatefulSet" || a.ScaleTargetRef.Name != hpa.sets[0].Name || *a.MinReplicas < 2 || a.Metrics[0].External == nil {
		t.Errorf("%+v", a)
	}
	var adapter struct {
		Rules struct {
			External []struct {
				SeriesQuery  string         `json:"seriesQuery"`
				Resources    map[string]any `json:"resources"`
				MetricsQuery string         `json:"metricsQuery"`
			} `json:"external"`
		} `json:"rules"`
	}
	text, err := os.ReadFile("../autoscale/hpa/adapter.yaml")
	if err == nil {
		err = yaml.UnmarshalStrict(text, &adapter)
	}
	if err != nil || len(adapter.Rules.External) != 1 || !strings.HasPrefix(adapter.Rules.External[0].SeriesQuery, a.Metrics[0].External.Metric.Name+"{") {
		t.Errorf("the adapter serves %+v, %v", adapter, err)
	}

	keda := build(t, "cluster", "autoscale/keda")
	if set := keda.node(t); set.Spec.Replicas != nil {
		t.Error("two owners of the number of nodes")
	}
	spec := keda.scaled[0]["spec"].(map[string]any)
	target := spec["scaleTargetRef"].(map[string]any)
	trigger := spec["triggers"].([]any)[0].(map[string]any)["metadata"].(map[string]any)
	answer, err := os.ReadFile("../../../../../http/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if target["name"] != keda.sets[0].Name || !strings.Contains(string(answer), fmt.Sprintf("%q", trigger["valueLocation"])) {
		t.Errorf("%+v", spec)
	}
	url := fmt.Sprint(trigger["url"])
	found := false
	for _, s := range keda.services {
		found = found || url == fmt.Sprintf("http://%s.%s.svc/fairness", s.Name, s.Namespace) && s.Spec.Ports[0].Port == 80
	}
	if !found {
		t.Errorf("KEDA asks %s, which no service answers", url)
	}
	if _, err := json.Marshal(spec); err != nil {
		t.Error(err)
	}
}
