"""Renderers of results: terminal, HTML, Markdown, JUnit. They recompute nothing."""

from assay.conformance.reports.folder import write_reports
from assay.conformance.reports.html import render_html
from assay.conformance.reports.junit import render_junit
from assay.conformance.reports.markdown import render_markdown
from assay.conformance.reports.terminal import render_result as render_terminal
from assay.conformance.reports.terminal import render_summary

__all__ = ["render_html", "render_junit", "render_markdown", "render_summary", "render_terminal", "write_reports"]
