{{- define "rlvr.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "rlvr.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "rlvr.name" .) -}}
{{- end -}}

{{- define "rlvr.selector" -}}
app.kubernetes.io/name: rlvr-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rlvr.labels" -}}
{{ include "rlvr.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
